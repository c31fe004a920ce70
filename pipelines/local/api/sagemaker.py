"""Every SageMaker operation that this machine answers, by name."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from pipelines.local.api.executions import PipelineExecutions
from pipelines.local.api.jobs import TUNING, Jobs
from pipelines.local.api.pipelines import Pipelines
from pipelines.local.api.registry import ModelRegistry
from pipelines.local.api.tags import Tags
from pipelines.local.database import Database, Document
from pipelines.local.errors import ConflictError
from pipelines.local.executions.executions import Executions
from pipelines.local.executions.records import EXECUTION
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.requests import check_members, check_request
from pipelines.local.registry import Registry

if TYPE_CHECKING:
    from pipelines.local.api.endpoints import EndpointOperations
    from pipelines.local.hosting.endpoints import Endpoints

Operation = Callable[[Document], Document]

REQUESTS = "client-request"
# What these write down is checked to the letter; what others ask for is there or not.
CHANGING = ("Create", "Update", "Start")


def operations(
    machine: Machine,
    registry: Registry,
    executions: Executions,
    jobs: Mapping[str, Jobs],
    endpoints: Callable[[], "Endpoints"],
) -> Mapping[str, Operation]:
    """Return the operations, each from a request to its response; endpoints are asked for when one is about them.

    Raises:
        ServiceError: by each operation, for what the service would refuse.
    """
    pipelines, tags = Pipelines(machine), Tags(machine.database)
    found = {
        **_pipeline_operations(pipelines, PipelineExecutions(executions, pipelines)),
        **_job_operations(jobs),
        **_registry_operations(ModelRegistry(registry, tags)),
        **_endpoint_operations(machine, endpoints),
        "AddTags": tags.add,
        "DeleteTags": tags.delete,
        "ListTags": tags.list,
    }
    return {name: _prepared(machine, name, operation, tags) for name, operation in found.items()}


def _pipeline_operations(pipelines: Pipelines, executions: PipelineExecutions) -> dict[str, Operation]:
    return {
        "CreatePipeline": pipelines.create,
        "UpdatePipeline": pipelines.update,
        "DescribePipeline": pipelines.describe,
        "ListPipelines": pipelines.list,
        "DeletePipeline": pipelines.delete,
        "StartPipelineExecution": executions.start,
        "StopPipelineExecution": executions.stop,
        "RetryPipelineExecution": executions.retry,
        "UpdatePipelineExecution": executions.update,
        "DescribePipelineExecution": executions.describe,
        "ListPipelineExecutions": executions.list,
        "ListPipelineExecutionSteps": executions.list_steps,
        "ListPipelineParametersForExecution": executions.list_parameters,
        "DescribePipelineDefinitionForExecution": executions.describe_definition,
    }


def _job_operations(jobs: Mapping[str, Jobs]) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for name, some in jobs.items():
        found |= {
            f"Create{name}": some.create,
            f"Describe{name}": some.describe,
            f"List{name}s": some.list,
            f"Stop{name}": some.stop,
        }
    return {**found, "ListTrainingJobsForHyperParameterTuningJob": jobs[TUNING.api_name].list_trials}


def _registry_operations(registry: ModelRegistry) -> dict[str, Operation]:
    return {
        "CreateModelPackageGroup": registry.create_group,
        "DescribeModelPackageGroup": registry.describe_group,
        "ListModelPackageGroups": registry.list_groups,
        "DeleteModelPackageGroup": registry.delete_group,
        "CreateModelPackage": registry.create_package,
        "DescribeModelPackage": registry.describe_package,
        "ListModelPackages": registry.list_packages,
        "UpdateModelPackage": registry.update_package,
        "DeleteModelPackage": registry.delete_package,
        "CreateModel": registry.create_model,
        "DescribeModel": registry.describe_model,
        "ListModels": registry.list_models,
        "DeleteModel": registry.delete_model,
    }


def _endpoint_operations(machine: Machine, endpoints: Callable[[], "Endpoints"]) -> dict[str, Operation]:
    @cache
    def found() -> "EndpointOperations":
        # Imported when it is called for: most runs deploy nothing.
        from pipelines.local.api.endpoints import EndpointOperations  # noqa: PLC0415

        return EndpointOperations(machine, endpoints())

    return {
        "CreateEndpointConfig": lambda request: found().create_config(request),
        "DescribeEndpointConfig": lambda request: found().describe_config(request),
        "ListEndpointConfigs": lambda request: found().list_configs(request),
        "DeleteEndpointConfig": lambda request: found().delete_config(request),
        "CreateEndpoint": lambda request: found().create(request),
        "UpdateEndpoint": lambda request: found().update(request),
        "DescribeEndpoint": lambda request: found().describe(request),
        "ListEndpoints": lambda request: found().list(request),
        "DeleteEndpoint": lambda request: found().delete(request),
    }


def _prepared(machine: Machine, name: str, operation: Operation, tags: Tags) -> Operation:
    """Give an operation what all have in common: a request of its shape, whose token counts once and tags are kept."""
    database = machine.database

    def call(request: Document) -> Document:
        check = check_request if name.startswith(CHANGING) else check_members
        check(machine, name, request)
        token = request.pop("ClientRequestToken", None)
        if token is None and not request.get("Tags"):
            return operation(request)
        with database.transaction():
            key = f"{name}/{token}"
            digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
            known = _known(database, key) if token else None
            if known is None:
                response = operation(request)
                _keep_tags(tags, request, response)
                if token:
                    database.put(REQUESTS, key, {"Request": digest, "Response": response})
                return response
        if known["Request"] != digest:
            raise ConflictError(f"ClientRequestToken {token} was used for another {name} request already.")
        first: Document = known["Response"]
        return first

    return call


def _known(database: Database, key: str) -> Document | None:
    """Return what a token's request was and gave; an execution that went with its pipeline is started anew."""
    known = database.get(REQUESTS, key)
    arn = known["Response"].get("PipelineExecutionArn") if known else None
    return None if arn and database.get(EXECUTION, arn) is None else known


def _keep_tags(tags: Tags, request: Document, response: Document) -> None:
    arns = [value for member, value in response.items() if member.endswith("Arn")]
    if request.get("Tags") and arns and "ResourceArn" not in request:
        tags.keep(arns[0], request["Tags"])
