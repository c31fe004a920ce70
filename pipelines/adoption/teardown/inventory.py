"""Everything that a project has made, in the order in which it can be removed, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.adoption.teardown import hosting, logs, objects, pipeline, registry, schedules, stacks
from pipelines.adoption.teardown.given import check_bucket, check_project
from pipelines.adoption.teardown.site import Site, read_tagged
from pipelines.adoption.teardown.things import Failure, Key, Thing
from pipelines.delivery.aws_errors import explain

Finder = Callable[[Site, list[Thing]], Iterable[Thing]]

# What starts something new goes first, and what is needed to find the rest goes last.
ORDER = (
    schedules.SCHEDULE,
    schedules.RULE,
    pipeline.EXECUTION,
    hosting.ENDPOINT,
    hosting.ALARM_KIND,
    hosting.CONFIG,
    hosting.MODEL,
    registry.PACKAGE,
    registry.GROUP,
    pipeline.PIPELINE,
    logs.LOG_GROUP,
    objects.CONTENT,
    objects.BUCKET,
    objects.KEY_KIND,
    stacks.STACK,
)


@dataclass(frozen=True)
class Inventory:
    """What was found, and what could not be asked for."""

    things: tuple[Thing, ...]
    failures: tuple[Failure, ...]

    @property
    def removable(self) -> tuple[Thing, ...]:
        """What a teardown removes."""
        return tuple(thing for thing in self.things if thing.delete)

    @property
    def running(self) -> tuple[Thing, ...]:
        """The executions that run."""
        return tuple(thing for thing in self.things if thing.kind == pipeline.EXECUTION)


def take_inventory(site: Site, go_on: Callable[[], None] = lambda: None) -> Inventory:
    """Ask every service once; one that refuses costs what it could have told, not the rest.

    `go_on` is called before each look, and ends the inventory by raising.

    Raises:
        UsageError: there is no such bucket or project.
    """
    things: list[Thing] = []
    failures: list[Failure] = []
    try:
        site = replace(site, tagged=read_tagged(site))
        check_project(site)
    except (BotoCoreError, ClientError) as error:
        failures.append(Failure(Key("tag", ""), explain(error) or str(error)))
    check_bucket(site)
    for kind, find in _finders(site):
        go_on()
        try:
            things += list(find(site, things))
        except (BotoCoreError, ClientError) as error:
            failures.append(Failure(Key(kind, ""), explain(error) or str(error)))
    order = {kind: number for number, kind in enumerate(ORDER)}
    return Inventory(tuple(sorted(_once(things), key=lambda thing: order[thing.kind])), tuple(failures))


def _finders(site: Site) -> list[tuple[str, Finder]]:
    """Return what finds each kind; later ones look at what the earlier ones saw."""
    everywhere: list[tuple[str, Finder]] = [
        (pipeline.EXECUTION, lambda site, _: pipeline.find_executions(site)),
        (hosting.CONFIG, lambda site, _: hosting.find_configs(site)),
        (hosting.MODEL, lambda site, _: hosting.find_models(site)),
        (hosting.MODEL, lambda site, _: hosting.find_models_of_executions(site)),
        (hosting.ENDPOINT, hosting.find_endpoints),
        (hosting.ALARM_KIND, hosting.find_endpoint_alarms),
        (registry.PACKAGE, lambda site, _: registry.find_packages(site)),
        (registry.GROUP, lambda site, _: registry.find_groups(site)),
        (pipeline.PIPELINE, lambda site, _: pipeline.find_pipelines(site)),
        (objects.CONTENT, objects.find_objects),
        (objects.CONTENT, lambda site, _: objects.find_others(site)),
    ]
    if site.is_local:
        return everywhere
    return [
        *everywhere,
        (schedules.SCHEDULE, lambda site, _: schedules.find_schedules(site)),
        (schedules.RULE, lambda site, _: schedules.find_rules(site)),
        (logs.LOG_GROUP, logs.find_log_groups),
        (objects.BUCKET, objects.find_buckets),
        (objects.KEY_KIND, objects.find_keys),
        (stacks.STACK, lambda site, _: stacks.find_stacks(site)),
    ]


def _once(things: Iterable[Thing]) -> Iterable[Thing]:
    return {thing.key: thing for thing in things}.values()
