"""What can be told of an execution's jobs before any of them runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.local.definition import Definition, Step, find_references
from pipelines.local.errors import StepFailure, ValidationError
from pipelines.local.expressions.resolve import Scope, resolve
from pipelines.local.jobs.requests import check_image, check_instance_count

BEFORE_ANY_STEP = ("Parameters", "Execution")


def preflight(definition: Definition, scope: Scope) -> None:
    """Check the image and the instance count of every job, a cached or an untaken one too.

    What refers to other steps is checked when the job is created.

    Raises:
        ValidationError: a job cannot run on this machine; the message names its step.
    """
    for step in definition.all_steps().values():
        try:
            for image, count, place in _jobs(step):
                if image is not None and _is_known(image):
                    check_image(resolve(image, scope), "The image")
                if count is not None and _is_known(count):
                    check_instance_count(resolve(count, scope), f"{place}.InstanceCount")
        except (ValidationError, StepFailure) as error:
            raise ValidationError(f"{error} (step '{step.name}')") from error


def _jobs(step: Step) -> Iterator[tuple[Any, Any, str]]:
    arguments = step.arguments
    if step.type == "Processing":
        cluster = arguments["ProcessingResources"].get("ClusterConfig", {})
        application = arguments["AppSpecification"]
        yield application.get("ImageUri"), cluster.get("InstanceCount"), "ProcessingResources.ClusterConfig"
    elif step.type == "Training":
        yield _training(arguments)
    elif step.type == "Transform":
        yield None, arguments["TransformResources"].get("InstanceCount"), "TransformResources"
    elif step.type == "Tuning":
        single = arguments.get("TrainingJobDefinition")
        yield from map(_training, [single] if single else arguments.get("TrainingJobDefinitions", []))


def _training(request: Mapping[str, Any]) -> tuple[Any, Any, str]:
    image = request.get("AlgorithmSpecification", {}).get("TrainingImage")
    return image, request.get("ResourceConfig", {}).get("InstanceCount"), "ResourceConfig"


def _is_known(value: Any) -> bool:
    return all(reference.root in BEFORE_ANY_STEP for reference in find_references(value))
