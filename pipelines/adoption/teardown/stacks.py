"""The CloudFormation stack of the project template: it is named, with the command that deletes it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.teardown.site import PROJECT_NAME_TAG, STACK_TAG, Site
from pipelines.adoption.teardown.things import Thing
from pipelines.delivery.deployment.found import found

STACK = "stack"
# What SageMaker calls the stacks of projects: of templates in S3, and of those in the Service Catalog.
_OF_PROJECTS = ("SP-", "SC-")


def stays_with(stack: str) -> str:
    """Say that something stays until the stack is deleted."""
    return f"stays until the stack {stack} is deleted"


def find_stacks(site: Site) -> Iterator[Thing]:
    """Yield the stacks that the tags of the project's resources and of its group name."""
    described = found(site.sagemaker.describe_model_package_group, ModelPackageGroupName=site.names.group)
    tags = [*site.tagged.values(), *([site.tags(described["ModelPackageGroupArn"])] if described else [])]
    for stack in sorted({each[STACK_TAG] for each in tags if site.stack_of(each)}):
        named = (each.get(PROJECT_NAME_TAG) for each in tags if each.get(STACK_TAG) == stack)
        project = next(filter(None, named), None)
        yield Thing(STACK, stack, f"roles and events; to delete it: {command(stack, project)}")


def command(stack: str, project: str | None) -> str:
    """Return the command that deletes a stack; one of a project goes with the project."""
    if project and stack.startswith(_OF_PROJECTS):
        return f"aws sagemaker delete-project --project-name {project}"
    return f"aws cloudformation delete-stack --stack-name {stack}"
