"""The pipeline as a picture: boxes with states, arrows, and the branch that was not taken in grey."""

from collections.abc import Callable
from itertools import pairwise

from pipelines.delivery.report.graph import Edge, Graph, Node
from pipelines.delivery.report.layout import NODE_HEIGHT, NODE_WIDTH, Layout, Point, lay_out
from pipelines.delivery.report.markup import Markup, join, tag
from pipelines.delivery.report.mermaid import ICONS
from pipelines.delivery.report.svg import picture, shorten, text

_UNREACHED = frozenset({"not taken", "not run"})
_EDGE = 4.0


def flow(key: str, title: str, graph: Graph, link: Callable[[str], str] | None = None) -> Markup:
    """Return the graph as an SVG image; with the addresses of the steps by their names, its boxes are links."""
    layout = lay_out(graph)
    states = {node.name: node.state for node in graph.nodes}
    arrows = (_arrow(edge, layout, states[edge.target]) for edge in graph.edges)
    shown = (node for node in graph.nodes if node.name in layout.nodes)
    boxes = (_linked(node, _box(node, layout.nodes[node.name]), link) for node in shown)
    inside = tag("g", *arrows, *boxes, transform=f"translate({_EDGE} {_EDGE})")
    role = "group" if link else "img"
    return picture(key, title, layout.height + 2 * _EDGE, inside, width=layout.width + 2 * _EDGE, role=role)


def _linked(node: Node, box: Markup, link: Callable[[str], str] | None) -> Markup:
    return tag("a", box, href=link(node.name), aria_label=f"{node.name}: {node.state}") if link else box


def _box(node: Node, middle: Point) -> Markup:
    (x, y), left, top = middle, middle[0] - NODE_WIDTH / 2, middle[1] - NODE_HEIGHT / 2
    style = f"state {node.state.replace(' ', '-')}"
    below = f"{ICONS.get(node.state, '·')} {f'{node.note}' if node.note else node.state}"
    return tag(
        "g",
        tag("title", f"{node.name} ({node.type}): {node.state}{f', {node.note}' if node.note else ''}"),
        tag("path", d=_hexagon(left, top), class_=style)
        if node.type == "Condition"
        else tag("rect", x=left, y=top, width=NODE_WIDTH, height=NODE_HEIGHT, rx=7, class_=style),
        text(x, y - 3, shorten(node.name, NODE_WIDTH - 8), "name middle"),
        text(x, y + 13, shorten(below, NODE_WIDTH - 12), "note middle"),
        class_="muted" if node.state in _UNREACHED else None,
    )


def _hexagon(left: float, top: float) -> str:
    right, bottom, middle = left + NODE_WIDTH, top + NODE_HEIGHT, top + NODE_HEIGHT / 2
    points = [(left + 12, top), (right - 12, top), (right, middle), (right - 12, bottom), (left + 12, bottom)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*points, (left, middle)]) + "Z"


def _arrow(edge: Edge, layout: Layout, state: str) -> Markup | None:
    points = layout.arrows[edge.source, edge.target]
    style = "arrow muted" if state in _UNREACHED else "arrow"
    x, y = points[-1]
    head = tag("path", d=f"M{x - 4:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 7:.1f}Z", class_=f"{style} head")
    words = None
    if edge.label:
        # At the arrow's end, where those of several branches are apart.
        words = (
            text(x - 7, y - 6, edge.label, "edge end") if points[-2][0] > x else text(x + 7, y - 6, edge.label, "edge")
        )
    return join(tag("path", d=_curve(points), class_=style), head, words)


def _curve(points: tuple[Point, ...]) -> str:
    """Return a line that leaves and reaches every point upright."""
    written = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        written.append(f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}")
    return "".join(written)
