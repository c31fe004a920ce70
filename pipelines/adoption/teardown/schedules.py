"""What starts the pipeline by itself: EventBridge's schedules, and its rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipelines.adoption.teardown.site import Site, plain
from pipelines.adoption.teardown.stacks import stays_with
from pipelines.adoption.teardown.things import Thing
from pipelines.delivery.errors import DeliveryError

SCHEDULE, RULE = "schedule", "rule"


def find_schedules(site: Site) -> Iterator[Thing]:
    """Yield the schedules of EventBridge Scheduler that start the pipeline."""
    for entry in site.pages("scheduler", "list_schedules", "Schedules"):
        if _is(entry.get("Target", {}).get("Arn", ""), site.pipeline_arn):
            name = {"Name": entry["Name"], "GroupName": entry.get("GroupName", "default")}
            yield Thing(
                SCHEDULE, "/".join(reversed(name.values())), entry.get("State", ""), delete=_deletion(site, name)
            )


def find_rules(site: Site) -> Iterator[Thing]:
    """Yield the rules that start the pipeline, or that wait for approvals of this group alone."""
    starting = set(site.pages("events", "list_rule_names_by_target", "RuleNames", TargetArn=site.pipeline_arn))
    for rule in site.pages("events", "list_rules", "Rules"):
        is_for_group = _is_for_group(site, rule)
        if not is_for_group and rule["Name"] not in starting:
            continue
        targets = list(site.pages("events", "list_targets_by_rule", "Targets", Rule=rule["Name"]))
        own = targets if is_for_group else [each for each in targets if _is(each["Arn"], site.pipeline_arn)]
        tags = plain(site.client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"])
        if stack := site.stack_of(tags):
            yield Thing(RULE, rule["Name"], stays_with(stack))
        elif len(own) < len(targets):
            yield Thing(
                RULE, rule["Name"], "stays, without the pipeline as its target", delete=_release(site, rule, own)
            )
        else:
            yield Thing(RULE, rule["Name"], rule.get("State", ""), delete=_rule_deletion(site, rule, own))


def _is(arn: str, other: str) -> bool:
    # SageMaker writes names in ARNs in lower case, whoever makes a rule perhaps not.
    return arn.lower() == other.lower()


def _is_for_group(site: Site, rule: Mapping[str, Any]) -> bool:
    try:
        detail = json.loads(rule.get("EventPattern") or "{}").get("detail", {})
    except ValueError:
        return False
    return isinstance(detail, dict) and detail.get("ModelPackageGroupName") == [site.names.group]


def _deletion(site: Site, name: Mapping[str, str]) -> Callable[[], object]:
    return lambda: site.client("scheduler").delete_schedule(**name)


def _release(site: Site, rule: Mapping[str, Any], targets: list[Any]) -> Callable[[], object]:
    ids = [target["Id"] for target in targets]

    def release() -> None:
        answer = site.client("events").remove_targets(Rule=rule["Name"], Ids=ids)
        for failure in answer.get("FailedEntries", ()):
            raise DeliveryError(f"target {failure['TargetId']}: {failure['ErrorCode']}: {failure['ErrorMessage']}")

    return release


def _rule_deletion(site: Site, rule: Mapping[str, Any], targets: list[Any]) -> Callable[[], object]:
    def delete() -> None:
        if targets:
            _release(site, rule, targets)()
        site.client("events").delete_rule(Name=rule["Name"])

    return delete
