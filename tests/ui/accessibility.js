// What a page must have for people who cannot see it, or not well, or use no mouse: returns what is wrong with it.
() => {
  const problems = [];
  const seen = (element) => element.checkVisibility({ checkVisibilityCSS: true });
  const told = (element) => element.outerHTML.slice(0, 120);

  for (const [name, selector] of [["main", "main"], ["h1", "h1"], ["title", "title"]]) {
    const found = document.querySelectorAll(selector).length;
    if (name !== "title" && found !== 1) problems.push(`${found} of ${name}, expected one`);
  }
  if (!document.documentElement.lang) problems.push("the page has no language");
  if (!document.title.trim()) problems.push("the page has no title");

  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) problems.push(`h${next} after h${level}: ${told(heading)}`);
    if (!heading.textContent.trim()) problems.push(`empty heading: ${told(heading)}`);
    level = next;
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids.filter((each, place) => ids.indexOf(each) !== place)) problems.push(`id twice: ${id}`);
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) problems.push(`${attribute} of nothing, ${id}: ${told(element)}`);
      }
    }
  }

  function nameOf(element) {
    const by = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => document.getElementById(id)?.textContent);
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    const title = element.querySelector?.(":scope > title")?.textContent;
    return [...by, element.getAttribute("aria-label"), ...labels, title, element.textContent, element.alt].filter(Boolean).join(" ").trim();
  }
  for (const control of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0'], [role=img]")) {
    const own = control.matches("textarea, select, input") ? (control.labels?.length || control.ariaLabel) : nameOf(control);
    if (!own) problems.push(`without a name: ${told(control)}`);
  }
  for (const scroller of document.querySelectorAll("*")) {
    if (!seen(scroller) || scroller === document.documentElement || scroller.matches("textarea, body")) continue;
    const style = getComputedStyle(scroller);
    const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
    const moves = scroller.scrollWidth > scroller.clientWidth || scroller.scrollHeight > scroller.clientHeight;
    if (scrolls && moves && scroller.tabIndex < 0) problems.push(`cannot be scrolled by keys: ${told(scroller)}`);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.querySelector("th[scope=col]") && !table.querySelector("th[scope=row]")) problems.push(`table without heads: ${told(table)}`);
    for (const head of table.querySelectorAll("th:not([scope])")) problems.push(`head without a scope: ${told(head)}`);
  }
  for (const list of document.querySelectorAll("dl")) {
    for (const child of list.children) if (!child.matches("dt, dd, div")) problems.push(`in a dl: ${told(child)}`);
  }

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colors = new Map();
  function parsed(color) {
    if (!colors.has(color)) colors.set(color, painted(color));
    return colors.get(color);
  }
  function painted(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  function behind(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const layer = parsed(getComputedStyle(each).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), parsed(getComputedStyle(document.body).backgroundColor));
  }
  function luminance([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(one, other) {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest("script, title, option, .unseen, .skip, [aria-hidden=true]")) continue;
    const style = getComputedStyle(element);
    const inPicture = element.closest("svg") !== null;
    // A picture's own boxes are not its text's ancestors; the card behind it is.
    const back = behind(inPicture ? element.closest("svg").parentElement : element);
    const text = over(parsed(inPicture ? style.fill : style.color), back);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const found = contrast(text, back);
    if (found < needed) problems.push(`contrast ${found.toFixed(2)} of "${node.data.trim().slice(0, 40)}" (${style.color} on ${back.slice(0, 3).map(Math.round)})`);
  }
  for (const control of document.querySelectorAll("button, textarea, select")) {
    const style = getComputedStyle(control);
    const edge = Math.max(contrast(parsed(style.borderTopColor), behind(control.parentElement)), contrast(parsed(style.backgroundColor), behind(control.parentElement)));
    if (edge < 3) problems.push(`edge of ${edge.toFixed(2)}: ${told(control)}`);
  }
  return problems;
}
