"""Endpoints with their alarms, and the endpoint configs and models behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.adoption.teardown.names import execution_of_model
from pipelines.adoption.teardown.pipeline import execution_ids
from pipelines.adoption.teardown.prices import ALARM
from pipelines.adoption.teardown.site import Site
from pipelines.adoption.teardown.things import Amount, Key, Thing
from pipelines.delivery.deployment.alarms import find_alarms
from pipelines.delivery.deployment.endpoint import settle
from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.names import LONGEST
from pipelines.delivery.deployment.plan import ENDPOINT_TAG

ENDPOINT, CONFIG, MODEL, ALARM_KIND = "endpoint", "endpoint config", "model", "alarm"
# The longest end of a name: `-production-v<9 digits>-<hash>`, before which a long group is cut.
_LONGEST_END = 30
_PAGES = {"PageSize": 100}


def find_configs(site: Site) -> Iterator[Thing]:
    """Yield the endpoint configs that deploy-model made for the group, and those with the project's id."""
    for name, arn in _listed(site, "list_endpoint_configs", "EndpointConfig"):
        tags = site.tags(arn)
        if arn in site.tagged or (ENDPOINT_TAG in tags and _is_config_of(site, name)):
            yield Thing(CONFIG, name, delete=_deletion(site, CONFIG, name), leads_to=_endpoint_of(tags))


def find_models(site: Site) -> Iterator[Thing]:
    """Yield the models that deploy-model made for the group, and those with the project's id."""
    for name, arn in _listed(site, "list_models", "Model"):
        tags = site.tags(arn)
        if arn in site.tagged or (ENDPOINT_TAG in tags and site.names.may_be_model(name) and _is_of_group(site, name)):
            leads_to = _endpoint_of(tags) | {Key(CONFIG, "")}
            yield Thing(MODEL, name, delete=_deletion(site, MODEL, name), leads_to=leads_to)


def find_models_of_executions(site: Site) -> Iterator[Thing]:
    """Yield the models that executions of the pipeline made, whose names begin with the execution's id."""
    ids = execution_ids(site)
    if ids:
        for entry in site.pages(
            "sagemaker", "list_models", "Models", NameContains="pipelines-", PaginationConfig=_PAGES
        ):
            name = entry["ModelName"]
            if execution_of_model(name) in ids:
                yield Thing(MODEL, name, "made by the pipeline", delete=_deletion(site, MODEL, name))


def find_endpoints(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the endpoints of the group's stages, and those that the configs and models name that were seen."""
    for name in sorted(endpoint_names(site, seen)):
        description = found(site.sagemaker.describe_endpoint, EndpointName=name)
        if description is None:
            continue
        if _is_own_endpoint(site, description):
            amounts = tuple(_instances(site, description))
            yield Thing(ENDPOINT, name, description["EndpointStatus"], amounts, delete=_endpoint_deletion(site, name))
        else:
            yield Thing(ENDPOINT, name, "stays, for deploy-model did not make it for this group")


def find_endpoint_alarms(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the alarms of the endpoints, also where the endpoint is gone already."""
    for name in own_endpoints(site, seen):
        for alarm in find_alarms(site.tools, name):
            yield Thing(
                ALARM_KIND,
                alarm["AlarmName"],
                alarm.get("StateValue", ""),
                (Amount(ALARM, 1),),
                delete=_alarm_deletion(site, alarm["AlarmName"]),
                leads_to=frozenset({Key(ENDPOINT, name)}),
            )


def endpoint_names(site: Site, seen: Iterable[Thing]) -> set[str]:
    """Return the names that endpoints of the project may have, by its names, its tags and what was seen."""
    told = {key.name for thing in seen for key in thing.leads_to if key.kind == ENDPOINT}
    return {*site.names.endpoints, *site.tagged_names("endpoint"), *told} - {""}


def own_endpoints(site: Site, seen: Iterable[Thing]) -> list[str]:
    """Return these names without those that somebody else's endpoint has."""
    things = list(seen)
    foreign = {thing.name for thing in things if thing.kind == ENDPOINT and thing.delete is None}
    return sorted(endpoint_names(site, things) - foreign)


def _listed(site: Site, operation: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the names and ARNs of what has the group's beginning in its name, and of what has the project's id."""
    start = site.names.group[: LONGEST - _LONGEST_END].rstrip("-")
    listed = site.pages("sagemaker", operation, f"{kind}s", NameContains=start, PaginationConfig=_PAGES)
    arns = {entry[f"{kind}Arn"]: entry[f"{kind}Name"] for entry in listed}
    resource = "endpoint-config" if kind == "EndpointConfig" else "model"
    arns |= {site.arn("sagemaker", f"{resource}/{name}"): name for name in site.tagged_names(resource)}
    may_be = site.names.may_be_config if kind == "EndpointConfig" else site.names.may_be_model
    for arn, name in arns.items():
        if arn in site.tagged or may_be(name):
            yield name, arn


def _is_config_of(site: Site, name: str) -> bool:
    """Whether a config is the group's; of one whose name had to be cut, its model tells."""
    if site.names.is_whole(name):
        return True
    described = found(site.sagemaker.describe_endpoint_config, EndpointConfigName=name) or {}
    models = [variant.get("ModelName", "") for variant in described.get("ProductionVariants", ())]
    return any(site.names.may_be_model(model) and _is_of_group(site, model) for model in models)


def _is_of_group(site: Site, model: str) -> bool:
    described = found(site.sagemaker.describe_model, ModelName=model) or {}
    containers = [*described.get("Containers", ()), described.get("PrimaryContainer", {})]
    packages = [container.get("ModelPackageName", "") for container in containers]
    return any(f":model-package/{site.names.group}/".lower() in package.lower() for package in packages)


def _is_own_endpoint(site: Site, description: Mapping[str, Any]) -> bool:
    if description["EndpointArn"] in site.tagged:
        return True
    tags = site.tags(description["EndpointArn"])
    config = description.get("EndpointConfigName")
    return tags.get(ENDPOINT_TAG) == description["EndpointName"] and (
        config is None or (site.names.may_be_config(config) and _is_config_of(site, config))
    )


def _endpoint_of(tags: Mapping[str, str]) -> frozenset[Key]:
    return frozenset({Key(ENDPOINT, tags.get(ENDPOINT_TAG, ""))})


def _instances(site: Site, description: Mapping[str, Any]) -> Iterator[Amount]:
    """Yield the instances that serve, by type; of a config that is gone they are unknown."""
    name = description.get("EndpointConfigName")
    config = found(site.sagemaker.describe_endpoint_config, EndpointConfigName=name) if name else None
    types = {each["VariantName"]: each.get("InstanceType") for each in (config or {}).get("ProductionVariants", ())}
    for variant in description.get("ProductionVariants", ()):
        kind = types.get(variant["VariantName"]) or "instances of an unknown type"
        yield Amount(kind, variant.get("CurrentInstanceCount", variant.get("DesiredInstanceCount", 1)))


def _deletion(site: Site, kind: str, name: str) -> Any:
    client = site.sagemaker
    if kind == CONFIG:
        return lambda: client.delete_endpoint_config(EndpointConfigName=name)
    return lambda: client.delete_model(ModelName=name)


def _endpoint_deletion(site: Site, name: str) -> Any:
    def delete() -> None:
        # What is being made or updated cannot be deleted.
        if settle(site.tools, name):
            site.sagemaker.delete_endpoint(EndpointName=name)
            settle(site.tools, name)

    return delete


def _alarm_deletion(site: Site, name: str) -> Any:
    return lambda: site.tools.cloudwatch.delete_alarms(AlarmNames=[name])
