"""The steps of a definition, each read and checked on its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from botocore.model import ServiceModel, StructureShape

from pipelines.local.definition.arguments import check_arguments
from pipelines.local.definition.conditions import check_conditions
from pipelines.local.definition.document import CacheConfig, Dependency, PropertyFile, Step, Trigger
from pipelines.local.definition.durations import duration_seconds
from pipelines.local.definition.functions import Use, check_operand
from pipelines.local.definition.members import OBJECT_EXPECTED, Members, json_type
from pipelines.local.definition.place import Place, Refusal, did_you_mean
from pipelines.local.definition.retries import read_retry_policies

NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
PROPERTY_FILE_NAME = re.compile(r"[^\x00]{1,256}")
TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)
LONGEST_DISPLAY_NAME = 256
LONGEST_DESCRIPTION = 3072

COMMON = ("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description")


@dataclass(frozen=True)
class Job:
    """A step type that calls one operation of the service."""

    operation: str
    name_member: str
    members: tuple[str, ...]
    named: bool = True


JOBS = {
    "Processing": Job(
        "CreateProcessingJob", "ProcessingJobName", (*COMMON, "CacheConfig", "RetryPolicies", "PropertyFiles")
    ),
    "Training": Job("CreateTrainingJob", "TrainingJobName", (*COMMON, "CacheConfig", "RetryPolicies")),
    "Tuning": Job(
        "CreateHyperParameterTuningJob", "HyperParameterTuningJobName", (*COMMON, "CacheConfig", "RetryPolicies")
    ),
    "Transform": Job("CreateTransformJob", "TransformJobName", (*COMMON, "CacheConfig", "RetryPolicies")),
    "Model": Job("CreateModel", "ModelName", (*COMMON, "RetryPolicies")),
    "RegisterModel": Job("CreateModelPackage", "ModelPackageName", (*COMMON, "RetryPolicies"), named=False),
}
SUPPORTED = (*JOBS, "Condition", "Fail")
# What the service runs and this machine does not yet.
ELSEWHERE = frozenset(
    {
        "AutoML",
        "Athena",
        "Callback",
        "ClarifyCheck",
        "Cleanup",
        "EMR",
        "EMRServerless",
        "Endpoint",
        "EndpointConfig",
        "ForEach",
        "HubContent",
        "InferenceComponent",
        "Job",
        "Lambda",
        "Lineage",
        "QualityCheck",
    }
)


@dataclass
class StepReader:
    """Reads steps; what each one refers to is kept in `uses`, and where each one stands in `places`."""

    model: ServiceModel
    uses: dict[str, list[Use]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def read_steps(self, values: list[Any], place: Place, *, condition: str = "") -> tuple[Step, ...]:
        """Read a list of steps, of the whole pipeline or of one branch of a condition."""
        return tuple(self._read_step(value, (place, index), condition) for index, value in enumerate(values))

    def _read_step(self, value: Any, place: Place, condition: str) -> Step:
        kind = _type_of(value, place)
        known = JOBS[kind].members if kind in JOBS else COMMON
        members = Members(value, place, known)
        name = members.name("Name", NAME)
        try:
            if condition and kind == "Condition":
                raise Refusal(f"A condition step cannot stand in a branch of another, '{condition}'.", place)
            if name in self.places:
                raise Refusal(f"Duplicate step name '{name}'.", place)
            self.places[name] = place
            return self._read_members(members, name, kind)
        except Refusal as refusal:
            refusal.step = refusal.step or name
            raise

    def _read_members(self, members: Members, name: str, kind: str) -> Step:
        uses: list[Use] = []
        self.uses[name] = uses
        arguments, if_steps, else_steps = self._read_arguments(members, name, kind, uses)
        return Step(
            name=name,
            type=kind,
            arguments=arguments,
            depends_on=_read_depends_on(members),
            display_name=members.text("DisplayName", longest=LONGEST_DISPLAY_NAME),
            description=members.text("Description", longest=LONGEST_DESCRIPTION),
            cache=_read_cache(members),
            retry_policies=read_retry_policies(members),
            property_files=_read_property_files(members),
            if_steps=if_steps,
            else_steps=else_steps,
            references=tuple(use.reference for use in uses),
        )

    def _read_arguments(
        self, members: Members, name: str, kind: str, uses: list[Use]
    ) -> tuple[Mapping[str, Any], tuple[Step, ...], tuple[Step, ...]]:
        place = members.at("Arguments")
        if kind == "Condition":
            return self._read_condition(members.any("Arguments"), place, name, uses)
        if kind == "Fail":
            return _read_fail(members.value.get("Arguments"), place, uses), (), ()
        job = JOBS[kind]
        shape = self.model.operation_model(job.operation).input_shape
        arguments = members.any("Arguments")
        if isinstance(shape, StructureShape):
            check_arguments(arguments, shape, place, uses, job_name=job.name_member, named=job.named)
        return arguments, (), ()

    def _read_condition(
        self, value: Any, place: Place, name: str, uses: list[Use]
    ) -> tuple[Mapping[str, Any], tuple[Step, ...], tuple[Step, ...]]:
        arguments = Members(value, place, ("Conditions", "IfSteps", "ElseSteps"), kind="Argument member")
        conditions = arguments.any("Conditions")
        check_conditions(conditions, arguments.at("Conditions"), uses)
        if_steps = self.read_steps(arguments.list("IfSteps"), arguments.at("IfSteps"), condition=name)
        else_steps = self.read_steps(arguments.list("ElseSteps"), arguments.at("ElseSteps"), condition=name)
        return {"Conditions": conditions}, if_steps, else_steps


def _type_of(value: Any, place: Place) -> str:
    kind = value.get("Type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in SUPPORTED:
        return kind
    name = value.get("Name", "") if isinstance(value, dict) else ""
    supported = f"supported: {', '.join(SUPPORTED)}"
    if isinstance(kind, str) and kind in ELSEWHERE:
        reason = f"Step type '{kind}' does not run on this machine yet."
        raise Refusal(reason, place, hint=supported, step=str(name)[:64])
    if not isinstance(value, dict):
        raise Refusal(OBJECT_EXPECTED, place, hint=f"found {json_type(value)}")
    near = did_you_mean(kind, SUPPORTED)
    raise Refusal(f"Unknown step type {kind!r:.100}.", place, hint=near or supported, step=str(name)[:64])


def _read_fail(value: Any, place: Place, uses: list[Use]) -> Mapping[str, Any]:
    if value is None:
        return {}
    arguments = Members(value, place, ("ErrorMessage",), kind="Argument member")
    message = arguments.value.get("ErrorMessage")
    if message is None:
        return {}
    if isinstance(message, dict):
        check_operand(message, arguments.at("ErrorMessage"), uses)
    else:
        arguments.text("ErrorMessage")
    return arguments.value


def _read_depends_on(members: Members) -> tuple[Dependency, ...]:
    found: dict[str, Dependency] = {}
    for index, value in enumerate(members.list("DependsOn")):
        place = (members.at("DependsOn"), index)
        dependency = _read_dependency(value, place)
        earlier = found.setdefault(dependency.step, dependency)
        if earlier != dependency:
            reason = (
                f"DependsOn names '{dependency.step}' with two triggers, {earlier.trigger} and {dependency.trigger}."
            )
            raise Refusal(reason, place)
    return tuple(found.values())


def _read_dependency(value: Any, place: Place) -> Dependency:
    if isinstance(value, str):
        return Dependency(value)
    entry = Members(value, place, ("Step", "Trigger"))
    if entry.value.get("Trigger") is None:
        return Dependency(entry.name("Step", NAME))
    given = entry.choice("Trigger", TRIGGERS)
    return Dependency(entry.name("Step", NAME), next(trigger for trigger in TRIGGERS if trigger == given))


def _read_cache(members: Members) -> CacheConfig | None:
    if members.value.get("CacheConfig") is None:
        return None
    config = Members(members.value["CacheConfig"], members.at("CacheConfig"), ("Enabled", "ExpireAfter"))
    expire_after = config.text("ExpireAfter")
    if not config.flag("Enabled"):
        return CacheConfig(enabled=False)
    seconds = duration_seconds(expire_after) if expire_after is not None else None
    if expire_after is not None and seconds is None:
        hint = "write an ISO 8601 duration from years to minutes, such as P30D, PT1H or P4DT12H"
        raise Refusal(f"Invalid duration '{expire_after:.100}'.", config.at("ExpireAfter"), hint=hint)
    return CacheConfig(enabled=True, expire_after_seconds=seconds)


def _read_property_files(members: Members) -> dict[str, PropertyFile]:
    files: dict[str, PropertyFile] = {}
    for index, value in enumerate(members.list("PropertyFiles")):
        place = (members.at("PropertyFiles"), index)
        entry = Members(value, place, ("PropertyFileName", "OutputName", "FilePath"))
        file = PropertyFile(
            name=entry.name("PropertyFileName", PROPERTY_FILE_NAME),
            output_name=entry.name("OutputName", PROPERTY_FILE_NAME),
            path=entry.name("FilePath", PROPERTY_FILE_NAME),
        )
        if file.name in files:
            raise Refusal(f"Duplicate property file name '{file.name}'.", place)
        files[file.name] = file
    return files
