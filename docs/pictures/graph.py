"""A pipeline definition as a picture: its steps from left to right, the branches of a condition above each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import botocore.session

from pipelines.local.definition import Definition, Graph, Step, parse_definition

HEIGHT, GAP, ROW = 46, 44, 60
MARGIN = 8
# About as wide as the letters of a name and of a kind are; and the room on both sides of them.
NAME_LETTER, KIND_LETTER, PADDING = 8.8, 7.0, 26
# Fill and edge by what a step is; the text on them is dark, so that the picture can lie on a light or a dark page.
COLOURS = {
    "Condition": ("#ffe3a8", "#d59a1f"),
    "Fail": ("#ffd0cc", "#d1453b"),
    "Model": ("#c9efd3", "#3a9d5d"),
    "RegisterModel": ("#c9efd3", "#3a9d5d"),
}
JOB = ("#cfe3ff", "#4a86d8")
INK, LINE = "#1f2328", "#8b949e"
HEAD = 9
SIGNS = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
}
STYLE = f"""\
text {{ font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; text-anchor: middle; }}
.name {{ font-size: 13px; font-weight: 600; fill: {INK}; }}
.kind {{ font-size: 11px; fill: {INK}; }}
.note {{ font-size: 12px; fill: {LINE}; font-weight: 600; }}
.edge {{ fill: none; stroke: {LINE}; stroke-width: 1.6; }}"""


@dataclass(frozen=True)
class Box:
    """A step's place: column and row, that of the first steps being 0; its left edge, middle and width in pixels."""

    column: int
    row: float
    x: float = 0
    y: float = 0
    width: float = 0

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width


def draw_graph(text: str) -> str:
    """Return the picture of a definition as SVG."""
    definition = parse_definition(text, botocore.session.get_session().get_service_model("sagemaker"))
    graph, steps = Graph(definition), definition.all_steps()
    boxes = _measured(_places(definition, graph), steps)
    width = max(box.right for box in boxes.values()) + MARGIN
    height = max(box.y for box in boxes.values()) + HEIGHT / 2 + MARGIN
    drawn = [
        *(_edge(boxes[source], boxes[target]) for source, target in _edges(graph, steps)),
        *(line for name, step in steps.items() for line in _node(step, boxes[name])),
        *(_label(boxes[branch[0]], branch[1]) for branch in map(graph.branch, steps) if branch),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
            f"<title>The steps of the pipeline: {escape(', '.join(steps))}</title>",
            f"<style>\n{STYLE}\n</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="0" refY="4" markerUnits="userSpaceOnUse" '
            f'markerWidth="{HEAD}" markerHeight="{HEAD}" orient="auto">'
            f'<path d="M0 0.5 L7.5 4 L0 7.5 Z" fill="{LINE}"/></marker></defs>',
            *dict.fromkeys(drawn),
            "</svg>\n",
        ]
    )


def _before(graph: Graph, name: str) -> frozenset[str]:
    branch = graph.branch(name)
    return graph.upstream(name) | ({branch[0]} if branch else frozenset())


def _edges(graph: Graph, steps: Mapping[str, Step]) -> Iterator[tuple[str, str]]:
    """Yield the edges, those left out that a longer way stands for."""
    ancestors: dict[str, frozenset[str]] = {}

    def above(name: str) -> frozenset[str]:
        if name not in ancestors:
            direct = _before(graph, name)
            ancestors[name] = direct.union(*map(above, direct))
        return ancestors[name]

    for name in steps:
        direct = _before(graph, name)
        yield from ((one, name) for one in sorted(direct) if not any(one in above(other) for other in direct))


def _places(definition: Definition, graph: Graph) -> dict[str, Box]:
    steps, columns = definition.all_steps(), dict[str, int]()

    def column(name: str) -> int:
        if name not in columns:
            columns[name] = 1 + max((column(before) for before in _before(graph, name)), default=-1)
        return columns[name]

    boxes: dict[str, Box] = {}
    for name in steps:
        branch = graph.branch(name)
        taken = [box.row for box in boxes.values() if box.column == column(name)]
        first = 0.0 if branch is None else -0.75 if branch[1] else 0.75
        step = -1 if branch and branch[1] else 1
        while first in taken:
            first += step
        boxes[name] = Box(column(name), first)
    return boxes


def _measured(boxes: Mapping[str, Box], steps: Mapping[str, Step]) -> dict[str, Box]:
    """Return the boxes with their measures: all of a column are as wide as the longest text in it needs."""
    widths: dict[int, float] = {}
    for name, box in boxes.items():
        text = max(len(name) * NAME_LETTER, len(_kind(steps[name])) * KIND_LETTER) + PADDING
        widths[box.column] = max(text, widths.get(box.column, 0))
    top = min(box.row for box in boxes.values())
    return {
        name: replace(
            box,
            x=MARGIN + sum(widths[column] + GAP for column in range(box.column)),
            y=MARGIN + (box.row - top) * ROW + HEIGHT / 2,
            width=widths[box.column],
        )
        for name, box in boxes.items()
    }


def _node(step: Step, box: Box) -> Iterator[str]:
    fill, stroke = COLOURS.get(step.type, JOB)
    radius = HEIGHT / 2 if step.type == "Condition" else 7
    yield (
        f'<rect x="{box.x:g}" y="{box.y - HEIGHT / 2:g}" width="{box.width:g}" height="{HEIGHT}" rx="{radius:g}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>'
    )
    centre = box.x + box.width / 2
    yield f'<text class="name" x="{centre:g}" y="{box.y - 3:g}">{escape(step.name)}</text>'
    yield f'<text class="kind" x="{centre:g}" y="{box.y + 14:g}">{escape(_kind(step))}</text>'


def _kind(step: Step) -> str:
    conditions = step.arguments.get("Conditions", []) if step.type == "Condition" else []
    signs = [SIGNS.get(condition["Type"]) for condition in conditions]
    if len(signs) != 1 or signs[0] is None:
        return step.type
    return f"{_operand(conditions[0]['LeftValue'])} {signs[0]} {_operand(conditions[0]['RightValue'])} ?"


def _operand(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if "Get" in value:
        return str(value["Get"]).rpartition(".")[2]
    names = [name for name in str(value.get("Std:JsonGet", {}).get("Path", "…")).split(".") if name != "value"]
    return names[-1]


def _edge(source: Box, target: Box) -> str:
    begin, end = source.right, target.x - HEAD
    bend = (end - begin) * 0.6
    return (
        f'<path class="edge" marker-end="url(#head)" d="M{begin:g} {source.y:g} '
        f'C{begin + bend:g} {source.y:g} {end - bend:g} {target.y:g} {end:g} {target.y:g}"/>'
    )


def _label(condition: Box, outcome: bool) -> str:
    y = condition.y + (-HEIGHT / 2 - 7 if outcome else HEIGHT / 2 + 17)
    return f'<text class="note" x="{condition.right - 6:g}" y="{y:g}">{str(outcome).lower()}</text>'
