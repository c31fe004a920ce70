"""The log groups of the project's endpoints and builds; those of jobs are shared by all that the account runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pipelines.adoption.teardown.hosting import ENDPOINT, own_endpoints
from pipelines.adoption.teardown.prices import GIGABYTE, LOGS, size
from pipelines.adoption.teardown.site import Site
from pipelines.adoption.teardown.stacks import stays_with
from pipelines.adoption.teardown.things import Amount, Key, Thing

LOG_GROUP = "log group"


def find_log_groups(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the log groups of endpoints, deleted ones too, and of the template's builds."""
    endpoints = {f"/aws/sagemaker/Endpoints/{name}": name for name in own_endpoints(site, seen)}
    builds = {f"/aws/codebuild/{name}": "" for name in site.names.builds}
    for name, endpoint in {**endpoints, **builds}.items():
        for group in site.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            # A prefix of neighbours' names, too.
            if group["logGroupName"] == name:
                yield _thing(site, name, group, endpoint)


def _thing(site: Site, name: str, group: dict[str, object], endpoint: str) -> Thing:
    stored = int(str(group.get("storedBytes", 0)))
    arn = str(group["arn"]).removesuffix(":*")
    stack = site.stack_of(site.client("logs").list_tags_for_resource(resourceArn=arn)["tags"])
    # An endpoint that goes on would write a new one.
    leads_to = frozenset({Key(ENDPOINT, endpoint)}) if endpoint else frozenset()
    return Thing(
        LOG_GROUP,
        name,
        stays_with(stack) if stack else size(stored),
        (Amount(LOGS, stored / GIGABYTE),),
        delete=None if stack else _deletion(site, name),
        leads_to=leads_to,
    )


def _deletion(site: Site, name: str) -> Callable[[], object]:
    return lambda: site.client("logs").delete_log_group(logGroupName=name)
