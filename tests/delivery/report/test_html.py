"""The HTML report: whole, self-contained, accessible, and deaf to what others write into it."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from jinja2 import Environment

from pipelines.delivery.report import panels
from pipelines.delivery.report.html import render
from pipelines.delivery.report.markup import tag
from pipelines.delivery.report.style import STYLE
from tests.delivery.report.examples import ALL, BARE, FAILED, HOSTILE, REGISTERED, REGRESSION, REJECTED, hostile
from tests.delivery.report.page import Element, Page

PAGES = {name: render(facts) for name, facts in {**ALL, "hostile": hostile()}.items()}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Element:
    return Page(PAGES[request.param]).root


def headings(text: str) -> list[str]:
    return [each.words.strip() for each in Page(text).root.all("h2") if "id" in each.attributes]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_there_is_one_main_and_one_first_heading(page: Element) -> None:
    assert [len(page.all(name)) for name in ("h1", "main", "header", "footer", "title")][:4] == [1, 1, 1, 1]


def test_headings_leave_no_level_out(page: Element) -> None:
    levels = [int(each.name[1]) for each in page.all() if re.fullmatch("h[1-6]", each.name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_has_a_name_or_is_decoration(page: Element) -> None:
    ids = {each.attributes.get("id"): each for each in page.all()}
    for picture in page.all("svg"):
        if picture.attributes.get("aria-hidden") != "true":
            assert picture.attributes["role"] == "img"
            title = ids[picture.attributes["aria-labelledby"]]
            assert title is picture.children[0]
            assert title.name == "title"
            assert title.text.strip()


def test_ids_are_unique_and_every_reference_has_its_target(page: Element) -> None:
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    assert {each.attributes["aria-labelledby"] for each in page.all() if "aria-labelledby" in each.attributes} <= set(
        ids
    )


def test_nothing_is_loaded_linked_or_run(page: Element) -> None:
    assert not {each.name for each in page.all()} & {"script", "img", "link", "iframe", "object", "a", "form", "base"}
    names = {name for each in page.all() for name in each.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "href", "action", "xlink:href"})
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_the_policy_forbids_all_but_the_style(page: Element) -> None:
    policy = next(each for each in page.all("meta") if each.attributes.get("http-equiv") == "Content-Security-Policy")
    assert str(policy.attributes["content"]).startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_texts_of_others_make_no_element() -> None:
    page = Page(render(hostile())).root
    assert not page.all("script")
    assert len(page.all("style")) == 1
    assert page.words.count("<script>alert") > 10
    assert "<!--" not in render(hostile())


def test_a_text_is_shown_as_it_is() -> None:
    cells = [cell.text for cell in Page(render(hostile())).root.all("td")]
    assert " ".join(HOSTILE.split()) in {" ".join(cell.split()) for cell in cells}


def test_all_that_is_known_has_its_section() -> None:
    assert headings(PAGES["registered"]) == [
        "What the pipeline did",
        "How good the model is",
        "Against the champion",
        "The trials",
        "What the model decides by",
        "Step by step",
        "The run",
    ]


def test_the_boxes_of_the_graph_are_links_where_steps_have_addresses() -> None:
    panel = panels.pipeline(ALL["registered"], lambda name: f"/steps/{name}?a=1&b=2")
    assert panel is not None
    root = Page(panel).root
    links = {link.attributes["href"]: link.attributes["aria-label"] for link in root.all("a")}
    names = [node.name for node in ALL["registered"].graph.nodes]
    assert list(links) == [f"/steps/{name}?a=1&b=2" for name in names]
    assert links["/steps/AucGate?a=1&b=2"] == "AucGate: succeeded"
    # An image has nothing inside for who cannot see it.
    assert [svg.attributes["role"] for svg in root.all("svg")] == ["group", "img"]
    assert not Page(PAGES["registered"]).root.all("a")


def test_a_template_takes_markup_for_markup_and_nothing_else() -> None:
    made = (
        Environment(autoescape=True).from_string("{{ markup }}{{ text }}").render(markup=tag("b", "a < b"), text="<i>")
    )
    assert made == "<b>a &lt; b</b>&lt;i&gt;"


def test_what_is_not_known_has_no_section() -> None:
    assert headings(PAGES["bare"]) == ["The run"]
    assert headings(PAGES["failed"]) == ["What the pipeline did", "Step by step", "The run"]
    assert headings(PAGES["regression"]) == ["How good the model is", "The run"]
    assert "unknown" not in Page(render(BARE)).root.words


def test_the_first_screen_says_what_became_of_it_and_what_to_type() -> None:
    first = Page(render(REGISTERED)).root.all("section")[0].words
    assert "Registered" in first
    assert "The tuned model's ROC AUC is 0.9, above the threshold of 0.85." in first
    assert "+0.02" in first
    assert REGISTERED.package
    assert REGISTERED.package.approve in first


def test_a_rejection_gives_its_reason_and_says_whose_numbers_follow() -> None:
    words = Page(render(REJECTED)).root.words
    assert "ROC AUC 0.84 is not above 0.85" in words
    assert "The model that EvaluateTuned rejected has no report" in words
    assert "To approve" not in words


def test_a_failure_shows_the_end_of_the_log_and_how_to_read_on() -> None:
    words = Page(render(FAILED)).root.words
    assert "no rows\nbye" in words
    assert "tail x.log" in words


def test_a_metric_beyond_one_draws_no_probability() -> None:
    page = Page(render(REGRESSION)).root
    assert "MSE" in page.words
    assert "guessing" not in page.words


def test_a_chart_has_its_numbers_beside_it() -> None:
    tables = Page(PAGES["registered"]).root.all("details")
    assert [each.children[0].text for each in tables].count("The numbers") == 4


@pytest.mark.parametrize("block", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [("ink", "card"), ("soft", "card"), ("soft", "page"), ("main", "card"), ("ink", "none-back"), ("soft", "none-back")]
    + [("ink", f"{tone}-back") for tone in ("good", "bad", "warn", "main")]
    + [("soft", f"{tone}-back") for tone in ("good", "bad", "warn", "main")],
)
def test_text_has_enough_contrast(block: int, ink: str, paper: str) -> None:
    roots = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", roots[block]))
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_champion_of_other_data_is_called_that_wherever_its_number_stands() -> None:
    champion = REGISTERED.champion
    assert champion is not None
    other = render(replace(REGISTERED, champion=replace(champion, has_other_data=True)))
    for words in (
        f"champion {champion.name}, on other data",
        f"{champion.name} has 0.88, on other data",
        "Its number is from other data, and so from another test set: the difference says little.",
    ):
        assert words in other
        assert words not in PAGES["registered"]
