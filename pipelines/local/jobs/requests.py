"""Checks of a Create*Job request that all kinds of jobs share."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from pipelines.local.containers.images import runtime_of
from pipelines.local.database import AlreadyExists, Document
from pipelines.local.errors import ResourceInUse, ValidationError
from pipelines.local.jobs.machine import Machine
from pipelines.local.store.keys import check_bucket_name, parse_uri

NUMBERS = ("integer", "long", "float", "double")


def check_request(machine: Machine, operation: str, request: Document) -> None:
    """Check a request against the service's own model: members, types, enums, lengths and patterns.

    Raises:
        ValidationError: naming each mistake.
    """
    check_members(machine, operation, request)
    mistakes = list(constraint_errors(request, machine.model.operation_model(operation).input_shape))
    if mistakes:
        raise ValidationError(f"{operation}: {'; '.join(mistakes)}")


def check_members(machine: Machine, operation: str, request: Document) -> None:
    """Check a request's members and their types, as botocore does before it sends one.

    Raises:
        ValidationError: naming each mistake.
    """
    shape = machine.model.operation_model(operation).input_shape
    if shape is None:
        raise TypeError(f"{operation} takes no input")
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ValidationError(f"{operation}: {'; '.join(report.generate_report().splitlines())}")


def constraint_errors(value: Any, shape: Shape | None, place: str = "") -> Iterator[str]:
    """Yield what in a value of the right types breaks a shape's enum, length, pattern or greatest value."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from constraint_errors(member, shape.members[name], f"{place}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        yield from length_errors(value, shape, place)
        for index, item in enumerate(value):
            yield from constraint_errors(item, shape.member, f"{place}[{index}]")
    elif isinstance(shape, MapShape):
        yield from length_errors(value, shape, place)
        for key, item in value.items():
            yield from constraint_errors(key, shape.key, f"{place} key '{key}'")
            yield from constraint_errors(item, shape.value, f"{place}['{key}']")
    elif isinstance(shape, StringShape):
        yield from string_errors(value, shape, place)
    elif shape is not None and shape.type_name in NUMBERS and value > shape.metadata.get("max", value):
        yield f"{place} is {value}, at most {shape.metadata['max']} is allowed"


def length_errors(value: Any, shape: Shape, place: str) -> Iterator[str]:
    """Yield whether a value is longer than its shape allows; botocore has checked the other end."""
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        yield f"{place} has length {len(value)}, at most {most} is allowed"


def string_errors(value: str, shape: StringShape, place: str) -> Iterator[str]:
    """Yield what is wrong with a string."""
    yield from length_errors(value, shape, place)
    if shape.enum and value not in shape.enum:
        yield f"Value '{value}' at {place} failed to satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = compiled(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield f"Value '{value:.100}' at {place} failed to satisfy the pattern {pattern.pattern}"


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern of the service's model, or None where Python's syntax differs from it."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def check_image(image: str | None, member: str) -> str:
    """Return the runtime of a job's image.

    Raises:
        ValidationError: there is none, or it does not run here.
    """
    if not image:
        raise ValidationError(f"{member} is missing; this machine runs jobs by their image.")
    return runtime_of(image)


def check_instance_count(count: int, member: str) -> None:
    """Refuse more than one instance.

    Raises:
        ValidationError: naming the member.
    """
    if count != 1:
        raise ValidationError(f"{member} is {count}; this machine runs every job on one instance: set it to 1.")


def check_uri(uri: str, member: str) -> None:
    """Refuse what is not an S3 URI that can be a folder here.

    Raises:
        ValidationError: naming the member.
    """
    try:
        bucket, _ = parse_uri(uri)
        check_bucket_name(bucket)
    except ValidationError as error:
        raise ValidationError(f"{member}: {error.message}") from error


def refuse(member: str, value: Any, allowed: str) -> ValidationError:
    """Return the error for what the service can do and this machine cannot."""
    return ValidationError(f"{member} is {value!r}, which this machine does not do yet; use {allowed}.")


def insert_job(machine: Machine, kind: str, name: str, description: Document) -> None:
    """Write down a new job.

    Raises:
        ResourceInUse: the name is taken.
    """
    try:
        machine.database.insert(kind, name, description)
    except AlreadyExists as error:
        arn = machine.arn(f"{kind}/{name}")
        raise ResourceInUse(
            f"Job name must be unique within an AWS account and region, and {arn} already exists; choose another name."
        ) from error


def described(machine: Machine, operation: str, request: Document) -> Document:
    """Return the members of a request that the description of its resource has too."""
    shape = machine.model.operation_model(operation).output_shape
    return {name: value for name, value in request.items() if shape is not None and name in shape.members}
