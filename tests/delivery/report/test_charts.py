"""The charts' geometry: what is drawn is inside its picture and where its numbers say."""

import re
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.report import charts
from pipelines.delivery.report.charts import Line, Mark
from pipelines.delivery.report.facts import StepFact, Trial, Tuning
from pipelines.delivery.report.flow import flow
from pipelines.delivery.report.graph import Edge, Graph, Node
from pipelines.delivery.report.layout import NODE_HEIGHT, NODE_WIDTH, lay_out
from pipelines.delivery.report.markup import Markup
from pipelines.delivery.report.quality import Confusion
from pipelines.delivery.report.svg import WIDTH, shorten, ticks
from pipelines.delivery.report.timeline import timeline
from tests.delivery.report.examples import REGISTERED, TUNING
from tests.delivery.report.page import Element, Page

UNIT = st.floats(0, 1, allow_nan=False)


def parsed(picture: Markup) -> Element:
    return Page(picture).root.children[0]


def points(picture: Element) -> list[tuple[float, float]]:
    """Every place that a picture names, those of relative path commands apart."""
    found: list[tuple[float, float]] = []
    for each in picture.all():
        values = {name: float(value) for name, value in each.attributes.items() if value and _is_number(value)}
        if "x" in values:
            found.append((values["x"], values["y"]))
            found.append((values["x"] + values.get("width", 0), values["y"] + values.get("height", 0)))
        if "cx" in values:
            found.append((values["cx"], values["cy"]))
        if "x1" in values:
            found += [(values["x1"], values["y1"]), (values["x2"], values["y2"])]
        absolute = re.sub("[a-z].*", "", each.attributes.get("d") or "")
        numbers = [float(value) for value in re.findall(r"-?[\d.]+", absolute)]
        found += zip(numbers[::2], numbers[1::2], strict=True)
    return found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def assert_inside(picture: Element) -> None:
    _, _, width, height = map(float, (picture.attributes["viewbox"] or "").split())
    places = points(picture)
    assert places
    assert all(-0.5 <= x <= width + 0.5 and -0.5 <= y <= height + 0.5 for x, y in places), (width, height, places)


def test_a_curve_starts_and_ends_in_the_corners() -> None:
    picture = parsed(charts.curves("roc", "ROC", ("x", "y"), [Line("model", ((0.0, 0.0), (0.5, 1.0), (1.0, 1.0)))]))
    assert_inside(picture)
    line = next(each for each in picture.all("path") if each.attributes["class"] == "line main")
    assert line.attributes["d"] == "M46.0 268.0L197.0 12.0L348.0 12.0"


@given(st.lists(st.tuples(UNIT, UNIT), min_size=2, max_size=30))
def test_no_curve_leaves_its_frame(curve: list[tuple[float, float]]) -> None:
    assert_inside(parsed(charts.curves("roc", "ROC", ("x", "y"), [Line("model", tuple(sorted(curve)))])))


@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4))
def test_no_mark_leaves_the_gate(threshold: float, values: list[float]) -> None:
    marks = [Mark(f"model {number}", value) for number, value in enumerate(values)]
    assert_inside(parsed(charts.gate("gate", "Gate", threshold, marks)))


def test_words_of_marks_that_are_near_each_other_are_in_rows_of_their_own() -> None:
    marks = [Mark("tuned model", 0.901), Mark("first model", 0.9, "second"), Mark("champion", 0.902, "champion")]
    picture = parsed(charts.gate("gate", "Gate", 0.85, marks))
    rows = [each.attributes["y"] for each in picture.all("text") if "threshold" not in each.text]
    assert len(set(rows)) == 3


@given(st.lists(st.one_of(st.none(), st.floats(-1e4, 1e4)), min_size=1, max_size=40), st.booleans())
def test_trials_of_any_values_are_inside(values: list[float | None], minimize: bool) -> None:
    trials = tuple(Trial(number, "t", "Completed", value, {}) for number, value in enumerate(values, 1))
    tuning = Tuning("Tune", "loss", minimize, trials)
    if tuning.measured:
        assert_inside(parsed(charts.trials("trials", "Trials", tuning)))


def test_the_best_trial_is_the_diamond_and_a_failed_one_a_cross() -> None:
    picture = parsed(charts.trials("trials", "Trials", TUNING))
    titled = {each.children[0].text: each.children[1].attributes["class"] for each in picture.all("g")}
    assert titled == {
        "trial 1: validation:auc 0.7; eta 0.1, max_depth 3": "dot",
        "trial 2: validation:auc 0.91, the best; eta 0.30000000001, max_depth 5": "best",
        "trial 3: Failed; eta 0.2, max_depth 4": "cross",
    }


def test_the_best_so_far_never_gets_worse() -> None:
    picture = parsed(charts.trials("trials", "Trials", TUNING))
    line = next(each for each in picture.all("path") if each.attributes["class"] == "line third")
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", line.attributes["d"] or "")]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("size", [2, 3, 12])
def test_a_confusion_matrix_of_any_size_is_inside(size: int) -> None:
    labels = tuple(f"class number {number}" for number in range(size))
    matrix = Confusion(labels, tuple(tuple(row * column for column in range(size)) for row in range(size)))
    picture = parsed(charts.confusion("confusion", "Matrix", matrix))
    assert_inside(picture)
    assert len(picture.all("g")) == size * size


def test_a_cell_says_its_count_and_its_part_of_the_row() -> None:
    picture = parsed(charts.confusion("confusion", "Matrix", Confusion(("0", "1"), ((961, 6), (10, 23)))))
    assert picture.all("g")[3].children[0].text == "actual 1, predicted 1: 23, 69.7 %"


@given(st.lists(st.tuples(st.text(min_size=1, max_size=60), st.floats(0.001, 1)), min_size=1, max_size=40))
def test_bars_of_any_features_are_inside(features: list[tuple[str, float]]) -> None:
    assert_inside(parsed(charts.importance("importance", "Importance", features)))


def test_features_without_importance_are_one_row() -> None:
    features = [("age", 0.75), ("claims", 0.25), ("colour", 0.0), ("shoe size", 0.0)]
    rows = parsed(charts.importance("importance", "Importance", features)).all("g")
    assert [row.children[0].text for row in rows] == ["age: 75.0 %", "claims: 25.0 %", "2 more: 0 %"]


@given(st.lists(st.tuples(st.floats(0, 1e5), st.one_of(st.none(), st.floats(0, 1e5))), max_size=12))
def test_a_timeline_of_any_times_is_inside(times: list[tuple[float, float | None]]) -> None:
    steps = [StepFact(f"Step{number}", "Training", "succeeded", *each) for number, each in enumerate(times)]
    assert_inside(parsed(timeline("timeline", "Times", steps)))


def test_a_step_without_a_start_has_no_bar() -> None:
    steps = [*REGISTERED.steps, StepFact("Late", "Training", "stopped")]
    assert "Late" not in parsed(timeline("timeline", "Times", steps)).words


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 14))
    nodes = tuple(Node(f"Step{number}", "Training", "succeeded") for number in range(size))
    pairs = list(combinations(range(size), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []
    return Graph(nodes, tuple(Edge(f"Step{one}", f"Step{other}") for one, other in chosen))


@given(graphs())
def test_no_box_covers_another_and_none_is_outside(graph: Graph) -> None:
    layout = lay_out(graph)
    assert len(layout.nodes) == len(graph.nodes)
    for (x1, y1), (x2, y2) in combinations(layout.nodes.values(), 2):
        assert abs(x1 - x2) >= NODE_WIDTH or abs(y1 - y2) >= NODE_HEIGHT
    for x, y in layout.nodes.values():
        assert NODE_WIDTH / 2 - 0.01 <= x <= layout.width - NODE_WIDTH / 2 + 0.01
        assert NODE_HEIGHT / 2 <= y <= layout.height - NODE_HEIGHT / 2
    assert_inside(parsed(flow("flow", "Flow", graph)))


@given(graphs())
def test_every_arrow_leads_downward_from_its_box_to_its_box(graph: Graph) -> None:
    layout = lay_out(graph)
    for (source, target), places in layout.arrows.items():
        heights = [y for _, y in places]
        assert heights == sorted(heights)
        assert places[0][0] == layout.nodes[source][0]
        assert places[-1][0] == layout.nodes[target][0]


def test_the_branch_that_was_not_taken_is_grey_and_says_so() -> None:
    picture = parsed(flow("flow", "Flow", REGISTERED.graph))
    muted = [each.children[0].text for each in picture.all("g") if each.attributes.get("class") == "muted"]
    assert muted == ["Register (RegisterModel): not taken"]


def test_a_graph_without_steps_is_an_empty_picture() -> None:
    assert parsed(flow("flow", "Flow", replace(REGISTERED.graph, nodes=(), edges=()))).all("rect") == []


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e9))
def test_ticks_are_few_and_within_the_range(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert len(found) <= 6
    assert all(low - span * 1e-6 <= tick <= low + span * (1 + 1e-6) for tick in found)


def test_a_name_that_is_too_long_keeps_its_ends() -> None:
    assert shorten("number_of_claims_in_the_past_five_years", 100) == "number_…_years"
    assert shorten("age", WIDTH) == "age"
