"""The steps that end in the registry: Model and RegisterModel."""

import secrets
from typing import Any

from botocore.validate import ParamValidator

from pipelines.local.database import Document
from pipelines.local.definition import Step
from pipelines.local.errors import ResourceNotFound, ServiceError, StepFailure
from pipelines.local.expressions.resolve import Scope, resolve
from pipelines.local.registry import Registry
from pipelines.local.steps.step_context import StepContext, StepResult

MODEL_NAME_LIMIT = 63


def run_model_step(step: Step, scope: Scope, context: StepContext) -> StepResult:
    """Create a model.

    Raises:
        StepFailure: the request is not allowed.
    """
    request = resolve(step.arguments, scope)
    suffix = secrets.token_hex(5)
    prefix = f"pipelines-{context.execution_id}"
    room = MODEL_NAME_LIMIT - len(prefix) - len(suffix) - 2
    name = "-".join((prefix, step.name.replace("_", "-")[:room].strip("-"), suffix))
    _check(context, "CreateModel", {"ModelName": name, **request})
    try:
        model = context.registry.create_model(name, request)
    except ServiceError as error:
        raise StepFailure(f"ClientError: {error.message}") from error
    return StepResult({"Model": {"Arn": model["ModelArn"]}})


def run_register_model_step(step: Step, scope: Scope, context: StepContext) -> StepResult:
    """Register a model package, in a group that is created when it does not exist.

    Raises:
        StepFailure: the request is not allowed.
    """
    request = resolve(step.arguments, scope)
    _check(context, "CreateModelPackage", request)
    generated_by = {"GeneratedBy": context.execution_arn}
    request["MetadataProperties"] = {**generated_by, **request.get("MetadataProperties", {})}
    try:
        with context.machine.database.transaction():
            _ensure_group(context.registry, request)
            package = context.registry.create_package(request)
    except ServiceError as error:
        raise StepFailure(f"ClientError: {error.message}") from error
    return StepResult({"RegisterModel": {"Arn": package["ModelPackageArn"]}})


def _ensure_group(registry: Registry, request: Document) -> None:
    name = request.get("ModelPackageGroupName")
    if name:
        try:
            registry.group(name)
        except ResourceNotFound:
            registry.create_group(name)


def _check(context: StepContext, operation: str, request: dict[str, Any]) -> None:
    shape = context.machine.model.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise StepFailure(f"ClientError: {operation}: {report.generate_report()}".replace("\n", "; "))
