"""The pipeline as a graph: its steps with their states, and which of them waits for which."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

_REFERENCE = re.compile(r"Steps\.([^.\[]+)")


@dataclass(frozen=True)
class Node:
    """A step of the definition; state is `not taken` in a branch that was not chosen, `not run` behind a failure."""

    name: str
    type: str
    state: str = "not run"
    note: str = ""


@dataclass(frozen=True)
class Edge:
    """An arrow from a step to one that waits for it; label is the condition's outcome that leads there."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes in document order and the arrows that say all: what follows from others is left out."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    def marked(self, states: Mapping[str, str], outcomes: Mapping[str, bool], notes: Mapping[str, str]) -> "Graph":
        """Return the graph with the states of the steps that ran, and of the others by the branches chosen."""
        branches = {edge.target: edge for edge in self.edges if edge.label}
        parents: dict[str, list[str]] = {}
        for edge in self.edges:
            parents.setdefault(edge.target, []).append(edge.source)
        untaken: set[str] = set()
        for name in _order({node.name: parents.get(node.name, []) for node in self.nodes}):
            branch = branches.get(name)
            chosen = outcomes.get(branch.source) if branch else None
            passed_by = branch is not None and chosen is not None and branch.label != str(chosen).lower()
            if name not in states and (passed_by or untaken & set(parents.get(name, []))):
                untaken.add(name)
        default = {node.name: "not taken" if node.name in untaken else "not run" for node in self.nodes}
        nodes = (
            replace(node, state=states.get(node.name, default[node.name]), note=notes.get(node.name, ""))
            for node in self.nodes
        )
        return replace(self, nodes=tuple(nodes))

    def layers(self) -> list[list[str]]:
        """Return the nodes' names by their distance from the steps that wait for none."""
        depth: dict[str, int] = {}
        parents = {node.name: [e.source for e in self.edges if e.target == node.name] for node in self.nodes}
        for name in _order(parents):
            depth[name] = max((depth[parent] + 1 for parent in parents[name]), default=0)
        return [
            [name for name in depth if depth[name] == level] for level in range(max(depth.values(), default=-1) + 1)
        ]


def read_graph(text: str) -> Graph:
    """Read the graph of a definition that the service has accepted."""
    entries = list(_steps(json.loads(text).get("Steps"), None, ""))
    names = {str(step["Name"]) for step, _, _ in entries}
    labels = {(parent, str(step["Name"])): label for step, parent, label in entries if parent}
    parents: dict[str, list[str]] = {}
    for step, parent, _ in entries:
        waits = dict.fromkeys([*([parent] if parent else []), *_upstream(step)])
        parents[str(step["Name"])] = [name for name in waits if name in names and name != step["Name"]]
    order = _order(parents)
    # What waits for itself was never run by any service: its arrows would only tangle the picture.
    known = set(order)
    ancestors: dict[str, set[str]] = {}
    for name in order:
        ancestors[name] = set(parents[name]).union(*(ancestors[parent] for parent in parents[name]))
    edges = (
        Edge(source, name, labels.get((source, name), ""))
        for name in parents
        if name in known
        for source in parents[name]
        if not any(source in ancestors[other] for other in parents[name])
    )
    return Graph(tuple(Node(str(step["Name"]), str(step["Type"])) for step, _, _ in entries), tuple(edges))


def _steps(steps: object, parent: str | None, label: str) -> Iterator[tuple[dict[str, Any], str | None, str]]:
    for step in steps if isinstance(steps, list) else []:
        yield step, parent, label
        arguments = step.get("Arguments") or {}
        if step.get("Type") == "Condition":
            yield from _steps(arguments.get("IfSteps"), str(step["Name"]), "true")
            yield from _steps(arguments.get("ElseSteps"), str(step["Name"]), "false")


def _upstream(step: Mapping[str, Any]) -> Iterator[str]:
    for dependency in step.get("DependsOn") or []:
        yield str(dependency.get("Step") if isinstance(dependency, dict) else dependency)
    arguments = step.get("Arguments") or {}
    own = {name: value for name, value in arguments.items() if name not in {"IfSteps", "ElseSteps"}}
    yield from _references(own)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        match = _REFERENCE.match(str(value.get("Get", "")))
        if match:
            yield match[1]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _order(parents: Mapping[str, list[str]]) -> list[str]:
    """Return the names with every parent before its children; those that wait for themselves are left out."""
    order: list[str] = []
    done: set[str] = set()
    waiting = dict(parents)
    while ready := [name for name, before in waiting.items() if done.issuperset(before)]:
        order += ready
        done.update(ready)
        waiting = {name: before for name, before in waiting.items() if name not in done}
    return order
