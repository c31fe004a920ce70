"""The steps that are jobs: Processing, Training, Tuning and Transform."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipelines.local.cache import Entry, Lookup, key_members
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.definition import Step
from pipelines.local.errors import ServiceError, StepFailure, StoppedByUser
from pipelines.local.expressions.resolve import Scope, resolve
from pipelines.local.jobs import processing, training, transform, tuning
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.outputs import is_there, written_outputs
from pipelines.local.steps.step_context import StepContext, StepResult

NAME_LETTERS = string.ascii_lowercase + string.digits
CACHING_IS_OFF = "caching is off for this step"


@dataclass(frozen=True)
class JobType:
    """One kind of job: how the API's members about it are called, and how it is created and run.

    Of its own name it keeps `name_limit` characters.
    """

    name: str
    api_name: str
    name_limit: int
    create: Callable[[Machine, str, Document], Document]
    run: Callable[[Machine, str, Stop], Document]


PROCESSING = JobType("Processing", "ProcessingJob", 63, processing.create, processing.run)
TRAINING = JobType("Training", "TrainingJob", 63, training.create, training.run)
TUNING = JobType("Tuning", "HyperParameterTuningJob", 32, tuning.create, tuning.run)
TRANSFORM = JobType("Transform", "TransformJob", 63, transform.create, transform.run)


def run_job_step(job: JobType, step: Step, scope: Scope, context: StepContext) -> StepResult:
    """Reuse the result of the same job, or run it.

    Raises:
        StepFailure: the arguments cannot be resolved, the request is not allowed, or the job failed.
        StoppedByUser: the job was stopped because the execution was.
    """
    name = job_name(job, step, context)
    scope = replace(scope, execution={**scope.execution, f"{job.api_name}Name": name})
    arguments = dict(resolve(step.arguments, scope))
    arguments.pop(f"{job.api_name}Name", None)
    lookup = _look_up(step, arguments, context)
    if lookup.entry:
        return StepResult(lookup.entry.metadata, lookup.entry.execution_arn, lookup.reason)
    try:
        # Both or none, for a job that its step does not name would be nobody's.
        with context.machine.database.transaction():
            description = job.create(context.machine, name, arguments)
            metadata = {f"{job.name}Job": {"Arn": description[f"{job.api_name}Arn"]}}
            context.announce(step.name, metadata, lookup.reason)
    except ServiceError as error:
        raise StepFailure(f"ClientError: {error.message}") from error
    description = job.run(context.machine, name, context.stop)
    _require_success(job, description, context.stop)
    if step.cache and step.cache.enabled:
        entry = Entry(context.execution_arn, metadata, written_outputs(context.machine, description))
        context.cache.remember(_cache_name(step, context), key_members(step.type, arguments), entry)
    return StepResult(metadata, cache_reason=lookup.reason)


def job_name(job: JobType, step: Step, context: StepContext) -> str:
    """Make a name as the service does: `pipelines-<execution>-<step>-<10 letters>`, shorter for tuning jobs."""
    suffix = "".join(secrets.choice(NAME_LETTERS) for _ in range(10))
    prefix = context.execution_id if job is TUNING else f"pipelines-{context.execution_id}"
    room = job.name_limit - len(prefix) - len(suffix) - 2
    middle = step.name.replace("_", "-")[:room].strip("-")
    return "-".join(part for part in (prefix, middle, suffix) if part)


def _look_up(step: Step, arguments: Document, context: StepContext) -> Lookup:
    if not (step.cache and step.cache.enabled):
        return Lookup(None, CACHING_IS_OFF)
    members = key_members(step.type, arguments)
    lookup = context.cache.find(_cache_name(step, context), members, step.cache.expire_after_seconds)
    # The service does not look; but what people delete from a folder on their own machine must not be taken for there.
    for uri in lookup.entry.outputs if lookup.entry else ():
        if not is_there(context.machine, uri):
            return Lookup(None, f"what the same run made is gone: {uri}")
    return lookup


def _cache_name(step: Step, context: StepContext) -> str:
    return f"{context.pipeline}/{step.name}"


def _require_success(job: JobType, description: Document, stop: Stop) -> None:
    status = description[f"{job.api_name}Status"]
    if status == "Completed":
        return
    if stop.is_set():
        raise StoppedByUser(f"{job.api_name} {description[f'{job.api_name}Name']} was stopped")
    reason = description.get("FailureReason") or f"{job.api_name} ended as {status}."
    raise StepFailure(f"ClientError: {reason}")
