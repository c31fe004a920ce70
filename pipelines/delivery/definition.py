"""What the delivery needs to know of a pipeline definition: parameters, step tree, and the metrics that it gates on.

The service is the judge of a definition; this reading is lenient and leaves what it does not understand alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.delivery.errors import DeliveryError

PARAMETER_TYPES = ("String", "Integer", "Float", "Boolean")


@dataclass(frozen=True)
class Parameter:
    """A parameter as the definition declares it; without a default (None) it must be given."""

    name: str
    type: str
    default: object | None
    choices: tuple[str, ...]


@dataclass(frozen=True)
class ReportFile:
    """A property file of a processing step: the output that it is in, and its path there."""

    output: str
    path: str


@dataclass(frozen=True)
class Comparison:
    """A condition that holds a value of a report against a threshold, both sides as the definition writes them."""

    condition: str
    operator: str
    report_step: str
    report: str
    path: str
    threshold: object

    @property
    def parameter(self) -> str | None:
        """The name of the parameter that sets the threshold."""
        return _after("Parameters.", _object(self.threshold).get("Get"))


@dataclass(frozen=True)
class StepPlan:
    """A step as it is defined, with the condition step in whose branch it stands."""

    name: str
    type: str
    condition: str | None
    reports: Mapping[str, ReportFile]
    comparisons: tuple[Comparison, ...]
    model_package_group: object = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    """A pipeline definition, its steps in document order with those of branches after their condition."""

    text: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, StepPlan]
    declares_parameters_well: bool = True

    def has(self, step_type: str) -> bool:
        """Whether any step, branches included, is of the type."""
        return any(step.type == step_type for step in self.steps.values())


@dataclass(frozen=True)
class Run:
    """A definition and the parameter values that it is run with."""

    definition: Definition
    parameters: Mapping[str, str]

    @property
    def values(self) -> dict[str, object]:
        """The value of every parameter, by default or as given."""
        defaults = {name: parameter.default for name, parameter in self.definition.parameters.items()}
        return {**defaults, **self.parameters}

    @property
    def model_package_group(self) -> str | None:
        """The group that the first step which registers a model registers it in; none if that is computed."""
        groups = (step.model_package_group for step in self.definition.steps.values())
        group = next((each for each in groups if each is not None), None)
        if parameter := _after("Parameters.", _object(group).get("Get")):
            group = self.values.get(parameter)
        return group if isinstance(group, str) else None


def parse_definition(text: str, source: str = "the definition") -> Definition:
    """Read a definition; what is no JSON object is refused with the place of the mistake."""
    try:
        return _read(text, source)
    except ValueError as error:
        raise DeliveryError(f"{source} is not JSON: {error}") from error
    except RecursionError:
        raise DeliveryError(f"{source} is nested too deeply to be a pipeline definition") from None


def same_definition(one: str | None, other: str) -> bool:
    """Whether two texts define the same pipeline, however they are formatted."""
    return one is not None and (one == other or json.loads(one) == json.loads(other))


def _read(text: str, source: str) -> Definition:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise DeliveryError(f"{source} is not a pipeline definition: expected a JSON object with Steps")
    declared = document.get("Parameters") or []
    parameters = {each.name: each for each in map(_parameter, _objects(declared))}
    steps = {step.name: step for step in _plans(document.get("Steps"), condition=None)}
    is_well = isinstance(declared, list) and len(parameters) == len(declared) and all(map(_is_declared, declared))
    return Definition(text, parameters, steps, is_well)


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    choices = entry.get("EnumValues")
    return Parameter(
        name=str(entry.get("Name")),
        type=str(entry.get("Type") or "String"),
        default=entry.get("DefaultValue"),
        choices=tuple(map(str, choices)) if isinstance(choices, list) else (),
    )


def _is_declared(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("Name"), str) and entry.get("Type") in (None, *PARAMETER_TYPES)


def _plans(steps: object, condition: str | None) -> Iterator[StepPlan]:
    for step in _objects(steps):
        yield _plan(step, condition)
        if step.get("Type") == "Condition":
            arguments = _object(step.get("Arguments"))
            yield from _plans(arguments.get("IfSteps"), str(step.get("Name")))
            yield from _plans(arguments.get("ElseSteps"), str(step.get("Name")))


def _plan(step: Mapping[str, Any], condition: str | None) -> StepPlan:
    name, arguments = str(step.get("Name")), _object(step.get("Arguments"))
    return StepPlan(
        name=name,
        type=str(step.get("Type")),
        condition=condition,
        reports={
            str(entry.get("PropertyFileName")): ReportFile(str(entry.get("OutputName")), str(entry.get("FilePath")))
            for entry in _objects(step.get("PropertyFiles"))
        },
        comparisons=tuple(_comparisons(name, arguments.get("Conditions"))),
        model_package_group=arguments.get("ModelPackageGroupName"),
        arguments=arguments,
    )


def _comparisons(step: str, conditions: object) -> Iterator[Comparison]:
    for condition in _objects(conditions):
        yield from _comparisons(step, condition.get("Conditions"))
        yield from _comparisons(step, [condition.get("Condition")])
        sides = condition.get("LeftValue"), condition.get("RightValue")
        for value, threshold in (sides, sides[::-1]):
            if comparison := _comparison(step, str(condition.get("Type")), value, threshold):
                yield comparison


def _comparison(step: str, operator: str, value: object, threshold: object) -> Comparison | None:
    """Read `value operator threshold` where the value is taken from a property file."""
    get = _object(_object(value).get("Std:JsonGet"))
    source = get.get("PropertyFile")
    reference = _after("Steps.", _object(source).get("Get"))
    if reference is None or ".PropertyFiles." not in reference:
        return None
    report_step, _, report = reference.partition(".PropertyFiles.")
    return Comparison(step, operator, report_step, report, str(get.get("Path")), threshold)


def _after(prefix: str, reference: object) -> str | None:
    if isinstance(reference, str) and reference.startswith(prefix):
        return reference.removeprefix(prefix)
    return None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
