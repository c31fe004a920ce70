"""The model package group and its packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelines.adoption.teardown.site import Site
from pipelines.adoption.teardown.stacks import stays_with
from pipelines.adoption.teardown.things import Key, Thing
from pipelines.delivery.deployment.found import found

PACKAGE, GROUP = "model package", "model package group"


def find_packages(site: Site) -> Iterator[Thing]:
    """Yield the versions of the group."""
    group = site.names.group
    if not found(site.sagemaker.describe_model_package_group, ModelPackageGroupName=group):
        return
    for entry in site.pages("sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group):
        arn = entry["ModelPackageArn"]
        yield Thing(
            PACKAGE,
            arn.partition(":model-package/")[2],
            entry.get("ModelApprovalStatus", ""),
            delete=_package_deletion(site, arn),
            # A model of a package that is gone cannot be told to be the group's.
            leads_to=frozenset({Key("model", ""), Key("endpoint config", ""), Key("endpoint", "")}),
        )


def find_groups(site: Site) -> Iterator[Thing]:
    """Yield the group; one of the template's stays as long as the stack does."""
    name = site.names.group
    described = found(site.sagemaker.describe_model_package_group, ModelPackageGroupName=name)
    if described is None:
        return
    if stack := site.stack_of(site.tags(described["ModelPackageGroupArn"])):
        yield Thing(GROUP, name, stays_with(stack))
        return
    yield Thing(GROUP, name, delete=_group_deletion(site, name), leads_to=frozenset({Key(PACKAGE, "")}))


def _package_deletion(site: Site, arn: str) -> Callable[[], object]:
    return lambda: site.sagemaker.delete_model_package(ModelPackageName=arn)


def _group_deletion(site: Site, name: str) -> Callable[[], object]:
    return lambda: site.sagemaker.delete_model_package_group(ModelPackageGroupName=name)
