"""Where the steps of a pipeline stand in its picture: layer below layer, long arrows through places of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.delivery.report.graph import Graph

NODE_WIDTH = 124.0
NODE_HEIGHT = 46.0
_GAP = 8.0
_PASSAGE = 8.0
_LAYER = 80.0
_SWEEPS = 7
Point = tuple[float, float]
# A step's name, or a place where an arrow (its two ends) passes a layer (its number).
Place = str | tuple[str, str, int]


@dataclass(frozen=True)
class Layout:
    """The middle of each step's box, the points that each arrow goes through, and the picture's size."""

    width: float
    height: float
    nodes: Mapping[str, Point]
    arrows: Mapping[tuple[str, str], tuple[Point, ...]]


def lay_out(graph: Graph) -> Layout:
    """Place a graph, the same graph always in the same way."""
    layers = graph.layers()
    rows: list[list[Place]] = [list(layer) for layer in layers]
    level = {name: number for number, layer in enumerate(layers) for name in layer}
    chains: dict[tuple[str, str], list[Place]] = {}
    for edge in graph.edges:
        passed = range(level[edge.source] + 1, level[edge.target])
        places: list[Place] = [(edge.source, edge.target, number) for number in passed]
        for number, place in zip(passed, places, strict=True):
            rows[number].append(place)
        chains[edge.source, edge.target] = [edge.source, *places, edge.target]
    xs = _columns(rows, [link for chain in chains.values() for link in pairwise(chain)])
    return Layout(
        width=max(map(_row_width, rows), default=0.0),
        height=max(0.0, (len(rows) - 1) * _LAYER + NODE_HEIGHT),
        nodes={name: (xs[name], number * _LAYER + NODE_HEIGHT / 2) for name, number in level.items()},
        arrows={ends: _points(chain, xs, level[ends[0]]) for ends, chain in chains.items()},
    )


def _points(chain: Sequence[Place], xs: Mapping[Place, float], first: int) -> tuple[Point, ...]:
    """Return where an arrow leaves a box, passes each layer on its way, and comes to a box."""
    points = [(xs[chain[0]], first * _LAYER + NODE_HEIGHT)]
    for number, place in enumerate(chain[1:-1], first + 1):
        points += [(xs[place], number * _LAYER), (xs[place], number * _LAYER + NODE_HEIGHT)]
    return (*points, (xs[chain[-1]], (first + len(chain) - 1) * _LAYER))


def _columns(rows: list[list[Place]], links: Sequence[tuple[Place, Place]]) -> dict[Place, float]:
    """Return each place's x: near the middle of its neighbours, row by row, downward and upward in turn."""
    total = max(map(_row_width, rows), default=0.0)
    neighbours: dict[bool, dict[Place, list[Place]]] = {True: {}, False: {}}
    for upper, lower in links:
        neighbours[True].setdefault(lower, []).append(upper)
        neighbours[False].setdefault(upper, []).append(lower)
    xs: dict[Place, float] = {}
    for row in rows:
        xs |= _spread(row, dict.fromkeys(row, total / 2), total)
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for row in rows if downward else reversed(rows):
            wanted = {place: _mean(xs, neighbours[downward].get(place) or [place]) for place in row}
            xs |= _spread(sorted(row, key=lambda place: (wanted[place], xs[place])), wanted, total)
    return xs


def _spread(row: Sequence[Place], wanted: Mapping[Place, float], total: float) -> dict[Place, float]:
    """Return the places of a row in this order, as near to where they should be as they fit beside each other."""
    xs: dict[Place, float] = {}
    free = -float("inf")
    for place in row:
        xs[place] = max(wanted[place], free + _width(place) / 2)
        free = xs[place] + _width(place) / 2 + _GAP
    shift = sum(wanted[place] - xs[place] for place in row) / len(row)
    low, high = xs[row[0]] - _width(row[0]) / 2, xs[row[-1]] + _width(row[-1]) / 2
    # Where a row is too far apart to stay inside, it is pushed together.
    if high - low > total:
        return _spread(row, _packed(row), total)
    shift = min(max(shift, -low), total - high)
    return {place: x + shift for place, x in xs.items()}


def _packed(row: Sequence[Place]) -> dict[Place, float]:
    xs: dict[Place, float] = {}
    free = 0.0
    for place in row:
        xs[place] = free + _width(place) / 2
        free += _width(place) + _GAP
    return xs


def _mean(xs: Mapping[Place, float], places: Sequence[Place]) -> float:
    return sum(xs[place] for place in places) / len(places)


def _width(place: Place) -> float:
    return NODE_WIDTH if isinstance(place, str) else _PASSAGE


def _row_width(row: Sequence[Place]) -> float:
    return sum(map(_width, row)) + _GAP * (len(row) - 1)
