"""The Markdown report: verdict first, never too long, and deaf to what others write into it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.report.escaping import block, code, label, listing, plain
from pipelines.delivery.report.markdown import LARGEST, MARKER, render
from tests.delivery.report.examples import ALL, BARE, FAILED, HOSTILE, REGISTERED, REJECTED, hostile


def charts(text: str) -> list[str]:
    return re.findall(r"^```mermaid\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


def outside_of_code(text: str) -> str:
    """What GitHub may take for markup: all but code spans and blocks."""
    without_blocks = re.sub(r"^(`{3,})[a-z]+\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", without_blocks)


@pytest.mark.parametrize("name", ALL)
def test_the_marker_and_the_verdict_come_first(name: str) -> None:
    lines = render(ALL[name]).splitlines()
    assert lines[0] == MARKER
    assert re.match(r"## \S+ (Registered|Rejected|Failed|Stopped|Finished): ", lines[2])


def test_a_registration_says_its_numbers_and_how_to_approve() -> None:
    text = render(REGISTERED)
    assert "## ✅ Registered: the model waits for a person's approval" in text
    assert "The tuned model's ROC AUC is 0.9, above the threshold of 0.85." in text
    assert "| Against the champion | **+0.02** | fraud/2 has 0.88 |" in text
    assert REGISTERED.package
    assert f"```sh\n{REGISTERED.package.approve}\n```" in text


def test_an_approved_model_needs_no_command() -> None:
    assert REGISTERED.package
    text = render(replace(REGISTERED, package=replace(REGISTERED.package, approval="Approved")))
    assert "the model is approved" in text
    assert "To approve" not in text


def test_a_rejection_says_why() -> None:
    text = render(REJECTED)
    assert text.splitlines()[2].startswith("## ⛔ Rejected")
    assert "Reason: `ROC AUC 0.84 is not above 0.85`" in text


def test_a_failure_shows_the_end_of_the_log() -> None:
    text = render(FAILED)
    assert "```text\nno rows\nbye\n```" in text
    assert "```sh\ntail x.log\n```" in text


def test_the_confusion_matrix_and_the_trials_are_tables() -> None:
    text = render(REGISTERED)
    assert "| **actual** `1` | 30 (33.3 %) | 60 (66.7 %) |" in text
    assert "| 2 ★ best | 0.91 | `Completed` | `0.3` | `5` |" in text
    assert text.index("| 2 ★ best") < text.index("| 1 | 0.7 |") < text.index("| 3 |  | `Failed`")


def test_the_greatest_feature_has_the_longest_bar() -> None:
    lengths = [line.count("█") for line in render(REGISTERED).splitlines() if "█" in line]
    assert lengths == [24, 16]


def test_the_graph_has_the_states_and_the_branches() -> None:
    graph = charts(render(REGISTERED))[0]
    assert '["Train<br/>↺ cached"]' in graph
    assert '["Register<br/>– not taken"]' in graph
    assert "-->|true| " in graph
    assert "-.->|false| " in graph


def test_curves_are_charts_with_what_guessing_gives() -> None:
    roc, precision = charts(render(REGISTERED))[1:3]
    lines = [re.findall(r"[\d.]+", line) for line in roc.splitlines() if line.strip().startswith("line")]
    assert [len(line) for line in lines] == [21, 21]
    assert (lines[0][2], lines[1][2]) == ("0.8000", "0.1000")
    assert "0.0900" in precision


def test_what_is_not_known_is_left_out() -> None:
    text = render(BARE)
    assert charts(text) == []
    assert not [word for word in ("unknown", "None", "champion", "trials", "cache") if word in text]


@pytest.mark.parametrize("name", [*ALL, "hostile"])
def test_every_fence_and_every_fold_is_closed(name: str) -> None:
    text = render(hostile() if name == "hostile" else ALL[name])
    assert len(re.findall("^```", text, re.MULTILINE)) % 2 == 0
    assert text.count("<details>") == text.count("</details>")


def test_texts_of_others_do_nothing() -> None:
    rest = outside_of_code(render(hostile()))
    for trick in ("<script", "](http", "@team", "<!-- -->", "www.", "://", "</style>", "\n# h"):
        assert trick not in rest, trick


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    tables = re.findall(r"(?:^\|.*\|$\n?)+", render(hostile()), re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_texts_of_others_do_nothing_in_a_picture() -> None:
    for chart in charts(render(hostile())):
        for line in chart.splitlines():
            quoted = re.findall('"([^"]*)"', line)
            assert line.count('"') == 2 * len(quoted)
            # Only letters, digits, the marks of states and Mermaid's entities stand between quotes.
            if not line.startswith("%%"):
                assert not [text for text in quoted if re.search(r"[<>;`\[\]{}|]", re.sub(r"#\d+;|<br/>", "", text))]
        assert "click n0" not in re.sub('"[^"]*"', "", chart)


def test_ids_of_nodes_are_ours_alone() -> None:
    graph = charts(render(hostile()))[0]
    ids = re.findall(r"^    (\w+)[\[{]", graph, re.MULTILINE)
    assert ids == [f"n{number}" for number in range(len(ids))]


@pytest.mark.parametrize("largest", [LARGEST, 4_000, 1_500])
def test_a_report_is_never_longer_than_a_comment_may_be(largest: int) -> None:
    steps = tuple(
        replace(step, name=f"{step.name}{number}", says="x" * 900) for number in range(40) for step in REGISTERED.steps
    )
    text = render(replace(REGISTERED, steps=steps), largest)
    assert len(text.encode()) <= largest
    assert "Registered" in text
    assert "_Left out for room: " in text
    assert text.count("<details>") == text.count("</details>")


def test_what_goes_last_is_how_to_approve() -> None:
    text = render(REGISTERED, 1_500)
    assert REGISTERED.package
    assert REGISTERED.package.approve in text
    assert "mermaid" not in text


@given(st.text(max_size=200))
def test_code_is_one_span_whatever_the_text(text: str) -> None:
    span = code(text)
    assert "\n" not in span
    assert "|" not in span
    assert re.fullmatch(r"|`[^`]+`|<code>[^<>`]+</code>", span)


@given(st.text(max_size=200))
def test_a_label_has_nothing_that_mermaid_reads(text: str) -> None:
    assert re.fullmatch(r"([A-Za-z0-9 ]|#\d+;)*", label(text))


@given(st.text(alphabet="ab`\n ~", max_size=80))
def test_no_text_ends_its_block(text: str) -> None:
    for made in (block(text), listing(text.splitlines())):
        first, *inside, last = made.splitlines()
        assert last == re.match("`+", first)[0]  # type: ignore[index]
        assert not [line for line in inside if line.lstrip().startswith(last)]


def test_running_text_makes_no_link_no_mention_and_no_markup() -> None:
    text = plain(HOSTILE)
    assert not re.search(r"[<>`|\[\]()#*!@_$\"](?!\d)", text.replace("&#", ""))
    assert "www." not in text
    assert "://" not in text
    assert "&#64;&#8203;team" in text
