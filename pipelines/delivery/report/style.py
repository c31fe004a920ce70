"""The look of the HTML report: light and dark, wide and narrow, on screen and on paper."""

STYLE = """
:root { color-scheme: light dark;
  --page:#f6f6f3; --card:#fff; --ink:#1c1e22; --soft:#575d66; --line:#dedfdb; --grid:#e8e8e4;
  --main:#2150b5; --second:#a04b00; --third:#5e6670; --good:#12693a; --bad:#b42318; --warn:#855300;
  --good-back:#e3f3e8; --bad-back:#fce8e6; --warn-back:#fcf1da; --main-back:#e6edfb; --none-back:#f1f1ee; }
@media (prefers-color-scheme: dark) { :root {
  --page:#131518; --card:#1b1e23; --ink:#e9eaec; --soft:#a5abb5; --line:#33373e; --grid:#2a2e34;
  --main:#8fb2ff; --second:#f0a35e; --third:#9aa2ad; --good:#77d29b; --bad:#ff9a8f; --warn:#f0bd62;
  --good-back:#173425; --bad-back:#41201d; --warn-back:#3b2e14; --main-back:#1d2c4d; --none-back:#24272c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; color: var(--soft); font-size: 14px; }
header b { color: var(--ink); font-weight: 600; }
footer { padding-bottom: 40px; color: var(--soft); font-size: 13px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 24px 28px 28px;
  margin: 20px 0; }
h1 { font-size: clamp(24px, 4.2vw, 34px); line-height: 1.2; margin: 0 0 10px; font-weight: 680;
  letter-spacing: -.015em; }
.badge { display: inline-block; width: 1.05em; height: 1.05em; margin: 0 .4em 0 0; vertical-align: -.16em; }
.badge circle { fill: var(--tone); } .sign { fill: none; stroke: var(--card); stroke-width: 2.6; stroke-linecap: round;
  stroke-linejoin: round; }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -.005em; margin: 0 0 6px; font-weight: 650; }
.small { font-size: 15px; margin: 0 0 8px; font-weight: 650; }
p { margin: 0 0 12px; max-width: 72ch; }
.lead { font-size: 18px; line-height: 1.5; }
.soft, figcaption { color: var(--soft); font-size: 14px; line-height: 1.45; }
.verdict { --tone: var(--soft); border-top: 5px solid var(--tone); padding-top: 26px; }
.registered, .finished { --tone: var(--good); } .rejected { --tone: var(--warn); } .failed { --tone: var(--bad); }
.top { display: grid; gap: 8px 40px; grid-template-columns: minmax(0, 1fr); }
.pair { display: grid; gap: 28px 44px; grid-template-columns: minmax(0, 1fr); align-items: start; margin-top: 18px; }
@media (min-width: 820px) { .pair, .top.two { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .pair.narrow-wide { grid-template-columns: minmax(0, 4fr) minmax(0, 6fr); } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 18px 28px; margin: 22px 0 0;
  padding: 20px 0 0; border-top: 1px solid var(--line); }
.tiles div { min-width: 0; }
dt { color: var(--soft); font-size: 13px; } dd { margin: 0; }
.tiles dd:first-of-type { font-size: 26px; font-weight: 640; line-height: 1.25; letter-spacing: -.01em;
  font-variant-numeric: tabular-nums; }
.tiles dd + dd { color: var(--soft); font-size: 13px; line-height: 1.4; }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: 0 0 12px; padding: 12px 14px; border-radius: 8px; background: var(--none-back); white-space: pre-wrap;
  overflow-wrap: anywhere; user-select: all; }
.quote { border-left: 3px solid var(--tone, var(--line)); padding-left: 12px; }
figure { margin: 0; min-width: 0; }
figcaption { margin: 0 0 10px; }
svg { display: block; width: 100%; height: auto; margin: 0 auto 0 0; }
.short { max-width: 34em; }
.scroll { overflow-x: auto; } .scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--main);
  outline-offset: 2px; }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--main); font-size: 14px; padding: 4px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.4; font-variant-numeric: tabular-nums;
  margin: 6px 0; }
th, td { text-align: left; vertical-align: top; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; }
tbody th { font-weight: 550; } td.long { overflow-wrap: anywhere; min-width: 14em; }
td.number, th.number { text-align: right; white-space: nowrap; }
.tag { white-space: nowrap; font-weight: 550; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 8px 0 0; font-size: 13px;
  color: var(--soft); }
.legend svg { display: inline-block; width: 28px; height: 8px; margin: 0 6px 2px 0; }
svg text { fill: var(--ink); font: 11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
svg text.tick, svg text.axis, svg text.note { fill: var(--soft); } svg text.middle { text-anchor: middle; }
svg text.end { text-anchor: end; }
svg text.big { font-size: 20px; font-weight: 600; } svg text.name { font-weight: 600; }
svg text.edge { fill: var(--soft); font-style: italic; }
.grid { stroke: var(--grid); stroke-width: 1; } .area { fill: var(--main); fill-opacity: .09; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .line.main { stroke: var(--main); stroke-width: 2.5; }
.line.second { stroke: var(--second); stroke-dasharray: 7 4; } .line.third { stroke: var(--third);
  stroke-dasharray: 2 3; stroke-width: 1.5; } .line.champion { stroke: var(--good); stroke-dasharray: 9 3 2 3; }
.cell-back { fill: var(--none-back); } .cell.right { fill: var(--main); } .cell.wrong { fill: var(--second); }
.bar { fill: var(--main); } .dot { fill: var(--card); stroke: var(--main); stroke-width: 2; }
.best { fill: var(--main); stroke: var(--card); stroke-width: 1.5; } .cross { fill: none; stroke: var(--bad);
  stroke-width: 2; }
.rail { fill: var(--none-back); stroke: var(--line); } .rail.good { fill: var(--good-back); stroke: var(--good); }
.wall { stroke: var(--ink); stroke-width: 2; } .leader { stroke: var(--third); stroke-width: 1; }
.mark { stroke: var(--card); stroke-width: 2; fill: var(--third); } .mark.main { fill: var(--main); }
.mark.second { fill: var(--second); } .mark.champion { fill: var(--good); }
svg text.main { font-weight: 650; }
.state { fill: var(--none-back); stroke: var(--third); stroke-width: 1.5; }
.state.succeeded { fill: var(--good-back); stroke: var(--good); } .state.cached { fill: var(--main-back);
  stroke: var(--main); stroke-dasharray: 5 3; } .state.failed { fill: var(--bad-back); stroke: var(--bad);
  stroke-width: 2.5; } .state.rejected { fill: var(--warn-back); stroke: var(--warn); stroke-width: 2.5; }
.state.not-taken, .state.not-run { fill: none; stroke-dasharray: 3 4; stroke-width: 1; }
svg .muted text, svg text.muted { fill: var(--soft); } .arrow { fill: none; stroke: var(--third); stroke-width: 1.5; }
.arrow.head { fill: var(--third); stroke: none; } .arrow.muted { stroke-dasharray: 3 4; stroke-width: 1; }
@media (max-width: 560px) { header, main, footer { padding-left: 12px; padding-right: 12px; }
  section { padding: 18px 16px 20px; border-radius: 10px; margin: 12px 0; } .lead { font-size: 17px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; } th, td { padding-right: 10px; } }
@media print {
  body, section { background: #fff; color: #000; } section { border: 0; padding: 8px 0; break-inside: auto; }
  figure, tr { break-inside: avoid; } .pair { grid-template-columns: 1fr 1fr; } details:not([open]) { display: none; } }
"""
