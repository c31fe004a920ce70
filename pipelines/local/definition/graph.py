"""Which step waits for which."""

from collections.abc import Iterable, Mapping

from pipelines.local.definition.document import Definition, Dependency, Step


class Graph:
    """The dependencies between the steps of a definition, branch steps included.

    A step depends on what its DependsOn names, on the steps whose properties its arguments or conditions refer to,
    and, inside a branch, on the condition (which then must have come out as `branch` says). A step outside a branch
    may depend on one inside.
    """

    def __init__(self, definition: Definition) -> None:
        self._branches: dict[str, tuple[str, bool]] = {}
        steps = definition.all_steps()
        for step in steps.values():
            self._branches.update({child.name: (step.name, True) for child in step.if_steps})
            self._branches.update({child.name: (step.name, False) for child in step.else_steps})
        self._dependencies = {name: self._dependencies_of(step) for name, step in steps.items()}

    def _dependencies_of(self, step: Step) -> tuple[Dependency, ...]:
        """Collect one dependency a step; an explicit trigger wins over the Completed that a reference implies."""
        found = {dependency.step: dependency for dependency in step.depends_on}
        for reference in step.references:
            if reference.root == "Steps":
                found.setdefault(reference.name, Dependency(reference.name))
        if step.name in self._branches:
            condition, _ = self._branches[step.name]
            found.setdefault(condition, Dependency(condition))
        return tuple(found.values())

    def dependencies(self, step_name: str) -> tuple[Dependency, ...]:
        """Return what a step waits for: DependsOn first, then references, then the condition of its branch."""
        return self._dependencies[step_name]

    def upstream(self, step_name: str) -> frozenset[str]:
        """Return the names of the steps that a step waits for."""
        return frozenset(dependency.step for dependency in self._dependencies[step_name])

    def branch(self, step_name: str) -> tuple[str, bool] | None:
        """Return the condition whose branch a step stands in and the outcome that runs it, or None."""
        return self._branches.get(step_name)

    def cycle(self) -> tuple[str, ...]:
        """Return the names along one cycle, first and last the same, or nothing when there is none."""
        return find_cycle({name: [d.step for d in found] for name, found in self._dependencies.items()})


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the nodes along one cycle, first and last the same, or nothing.

    The stack is kept by hand: a chain of two thousand steps is deeper than Python's own.
    """
    done: set[str] = set()
    for start in edges:
        trail = {start: iter(edges[start])} if start not in done else {}
        while trail:
            node, pending = next(reversed(trail.items()))
            following = next(pending, None)
            if following is None:
                done.add(node)
                del trail[node]
            elif following in trail:
                names = list(trail)
                return (*names[names.index(following) :], following)
            elif following not in done and following in edges:
                trail[following] = iter(edges[following])
    return ()
