"""Where a teardown works: the account or this machine, the clients of its services, and the project's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.adoption.account import Account
from pipelines.adoption.teardown.names import Names
from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.memory import tags_of_resource
from pipelines.delivery.deployment.tools import Tools

STACK_TAG = "aws:cloudformation:stack-name"
PROJECT_TAG, PROJECT_NAME_TAG = "sagemaker:project-id", "sagemaker:project-name"


Tagged = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Site:
    """The tools of a deployment, for endpoints are waited for, the account, and what the project calls its own.

    `tagged` are the tags of everything that has the project's id, by ARN.
    """

    tools: Tools
    account: Account
    names: Names
    tagged: Tagged = field(default_factory=dict)
    _stacks: dict[str, bool] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine's SageMaker, which has none of the services around it."""
        return self.tools.site.places.root is not None

    @property
    def bucket(self) -> str:
        """The bucket that was named, or else the usual one."""
        return self.names.bucket or self.usual_bucket

    @property
    def usual_bucket(self) -> str:
        """The bucket that has the project's id, or that the template makes, or SageMaker's own."""
        account, start = self.account, f"arn:{self.account.partition}:s3:::"
        tagged = [arn.removeprefix(start) for arn in self.tagged if arn.startswith(start)]
        made = f"ml-project-{self.names.project_id}-{account.number}-{account.region}" if self.names.project_id else ""
        return next(filter(None, [*tagged, made]), f"sagemaker-{account.region}-{account.number}")

    @property
    def place(self) -> str:
        """What a person calls it."""
        root = self.tools.site.places.root
        return str(root) if root is not None else f"account {self.account.number}, {self.account.region}"

    @property
    def pipeline_arn(self) -> str:
        """The ARN that the pipeline has, there or not."""
        return self.arn("sagemaker", f"pipeline/{self.names.pipeline}")

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.account.partition}:{service}:{self.account.region}:{self.account.number}:{resource}"

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        return self.account.client(service)

    @property
    def sagemaker(self) -> Any:
        """The SageMaker client."""
        return self.tools.sagemaker

    def pages(self, service: str, operation: str, result: str, **request: Any) -> Iterator[Any]:
        """Yield the entries of all pages of a list."""
        client = self.sagemaker if service == "sagemaker" else self.client(service)
        for page in client.get_paginator(operation).paginate(**request):
            yield from page.get(result, ())

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource of SageMaker's."""
        return tags_of_resource(self.tools, arn)

    def tagged_names(self, kind: str) -> list[str]:
        """Return the names of SageMaker's resources of a kind that have the project's id."""
        start = self.arn("sagemaker", f"{kind}/")
        return [arn.removeprefix(start) for arn in self.tagged if arn.startswith(start)]

    def has_tags_of_project(self, tags: Mapping[str, str]) -> bool:
        """Whether tags are the project's: an id that somebody made up may be a neighbour's too, of another name."""
        name = self.names.project_name
        return tags.get(PROJECT_TAG) == self.names.project_id and tags.get(PROJECT_NAME_TAG, name) == name

    def stack_of(self, tags: Mapping[str, str]) -> str | None:
        """Return the CloudFormation stack that a resource's tags name, as long as there is such a stack."""
        name = tags.get(STACK_TAG)
        if self.is_local or name is None:
            return None
        if name not in self._stacks:
            self._stacks[name] = found(self.client("cloudformation").describe_stacks, StackName=name) is not None
        return name if self._stacks[name] else None


def read_tagged(site: Site) -> Tagged:
    """Return the tags of everything that has the project's, by ARN; nothing where no id was given."""
    if site.is_local or not site.names.project_id:
        return {}
    entries = site.pages(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=[{"Key": PROJECT_TAG, "Values": [site.names.project_id]}],
    )
    tagged = {entry["ResourceARN"]: plain(entry["Tags"]) for entry in entries}
    return {arn: tags for arn, tags in tagged.items() if site.has_tags_of_project(tags)}


def plain(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags by their keys."""
    return {tag["Key"]: tag["Value"] for tag in tags}
