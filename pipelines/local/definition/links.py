"""The links of a definition: everything that is referred to must be there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from botocore.model import ServiceModel

from pipelines.local.definition.document import Definition, Step
from pipelines.local.definition.functions import Use
from pipelines.local.definition.place import Place, Refusal, did_you_mean
from pipelines.local.definition.properties import check_property
from pipelines.local.definition.references import Reference, expression_kind

EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
EXPERIMENT_MEMBERS = ("ExperimentName", "TrialName")


@dataclass(frozen=True)
class Links:
    """Checks the links of one definition; `uses` and `places` are by step name."""

    definition: Definition
    model: ServiceModel
    uses: Mapping[str, list[Use]]
    places: Mapping[str, Place]

    def check(self) -> None:
        """Refuse the first link that leads nowhere."""
        for step in self.definition.all_steps().values():
            try:
                self._check_step(step)
            except Refusal as refusal:
                refusal.step = refusal.step or step.name
                raise

    def check_experiment(self, uses: list[Use]) -> None:
        """Refuse links of the experiment's names that lead nowhere or to a step."""
        for use in uses:
            if use.reference.root not in ("Parameters", "Execution"):
                reason = f"'{use.reference}' cannot stand here: no step has run yet."
                raise Refusal(reason, use.place, hint="refer to Parameters or Execution")
            self._check_use(use)

    def _check_step(self, step: Step) -> None:
        place = self.places[step.name]
        for index, dependency in enumerate(step.depends_on):
            at = ((place, "DependsOn"), index)
            upstream = self._step(dependency.step, f"DependsOn names no step '{dependency.step:.100}'.", at)
            if upstream.type == "Fail":
                raise Refusal(f"{step.name} can not depends on FailStep '{upstream.name}'.", at)
        self._check_property_files(step, place)
        for use in self.uses[step.name]:
            self._check_use(use)

    def _check_property_files(self, step: Step, place: Place) -> None:
        for index, file in enumerate(step.property_files.values()):
            names = _output_names(step)
            if names is not None and file.output_name not in names:
                at = (((place, "PropertyFiles"), index), "OutputName")
                reason = f"Property file '{file.name}' stands in no output: there is no '{file.output_name}'."
                raise Refusal(reason, at, hint=did_you_mean(file.output_name, names) or "the step has no outputs")

    def _check_use(self, use: Use) -> None:
        reference = use.reference
        if use.takes_property_file and (reference.root != "Steps" or reference.path[:1] != ("PropertyFiles",)):
            hint = "write Steps.<step>.PropertyFiles.<name>"
            raise Refusal(f"'{reference}' is no property file.", use.place, hint=hint)
        if reference.root == "Steps":
            self._check_step_reference(use)
        elif reference.root == "Parameters":
            _check_name(reference, self.definition.parameters, "Parameter", "defined", use.place)
        elif reference.root == "Execution":
            _check_name(reference, EXECUTION_VARIABLES, "Execution variable", "known", use.place)
        else:
            _check_name(reference, EXPERIMENT_MEMBERS, "Experiment variable", "known", use.place)

    def _check_step_reference(self, use: Use) -> None:
        reference = use.reference
        step = self._step(reference.name, f"'{reference}' refers to no step.", use.place)
        if step.type == "Fail":
            raise Refusal(f"'{reference}' cannot be: a Fail step has no properties.", use.place)
        if not reference.path:
            raise Refusal(f"'{reference}' names no property of the step.", use.place)
        if reference.path[0] == "PropertyFiles":
            _check_property_file(use, step)
            return
        try:
            check_property(step.type, reference.path, self.model)
        except Refusal as refusal:
            reason = f"'{reference}' leads nowhere: {refusal.reason}"
            raise Refusal(reason, use.place, hint=refusal.hint) from refusal

    def _step(self, name: str, reason: str, place: Place) -> Step:
        steps = self.definition.all_steps()
        if name not in steps:
            raise Refusal(reason, place, hint=did_you_mean(name, steps))
        return steps[name]


def _check_name(reference: Reference, known: Collection[str], what: str, state: str, place: Place) -> None:
    if reference.name not in known:
        hint = did_you_mean(reference.name, known) or f"none is {state}"
        raise Refusal(f"{what} '{reference.name}' is not {state}.", place, hint=hint)
    if reference.path:
        raise Refusal(f"'{reference}' leads nowhere: {what.lower()}s have no members.", place)


def _check_property_file(use: Use, step: Step) -> None:
    reference = use.reference
    if not use.takes_property_file:
        raise Refusal(f"'{reference}' can stand only in the PropertyFile of a Std:JsonGet.", use.place)
    if len(reference.path) != 2 or reference.path[1] not in step.property_files:
        hint = did_you_mean(reference.path[-1], step.property_files) or "the step has none"
        raise Refusal(f"'{reference}' refers to no property file.", use.place, hint=hint)


def _output_names(step: Step) -> list[str] | None:
    """Return the names of a processing step's outputs, or None when they are not known before it runs."""
    config = step.arguments.get("ProcessingOutputConfig", {})
    outputs = config.get("Outputs", []) if expression_kind(config) is None else None
    if not isinstance(outputs, list):
        return None
    names = [output.get("OutputName") for output in outputs]
    return names if all(isinstance(name, str) for name in names) else None
