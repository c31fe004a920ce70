"""A pipeline definition after parsing: its parameters and its tree of steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pipelines.local.definition.references import Reference

ParameterType = Literal["String", "Integer", "Float", "Boolean"]
Trigger = Literal["Completed", "Failed", "Stopped", "Any"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; without a default, each start must give a value."""

    name: str
    type: ParameterType
    default: str | int | float | bool | None = None
    enum: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dependency:
    """What another step must have come to before a step may start."""

    step: str
    trigger: Trigger = "Completed"


@dataclass(frozen=True, slots=True)
class PropertyFile:
    """A JSON file in one of a processing step's outputs; `path` is relative to the output."""

    name: str
    output_name: str
    path: str


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Whether a step may reuse an earlier run, and of which age at most (None: any)."""

    enabled: bool
    expire_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step, checked; `arguments` hold expressions, and `references` are all that stand in them.

    The arguments of a condition step are its `Conditions` only: its branches are `if_steps` and `else_steps`.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    depends_on: tuple[Dependency, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig | None = None
    retry_policies: tuple[Mapping[str, Any], ...] = ()
    property_files: Mapping[str, PropertyFile] = field(default_factory=dict)
    if_steps: tuple["Step", ...] = ()
    else_steps: tuple["Step", ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A whole definition, checked, and the text that it was read from."""

    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    experiment_config: Mapping[str, Any] | None
    text: str

    def all_steps(self) -> Mapping[str, Step]:
        """Return every step by name in document order, the steps of branches after their condition."""
        return self._tree

    @cached_property
    def _tree(self) -> Mapping[str, Step]:
        return {step.name: step for step in walk_steps(self.steps)}


def walk_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield steps and, after each condition, those of its branches."""
    for step in steps:
        yield step
        yield from walk_steps(step.if_steps)
        yield from walk_steps(step.else_steps)
