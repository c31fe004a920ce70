"""teardown-project: list what a project has made, with its costs, and remove it."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import DEFAULT_MODULE, DEFAULT_ROOT, Parser, parse_text
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.pipeline_module import GROUP_SETTING, region_of, setting_of

if TYPE_CHECKING:
    from pipelines.adoption.teardown.inventory import Inventory
    from pipelines.adoption.teardown.names import Names
    from pipelines.adoption.teardown.site import Site
    from pipelines.adoption.teardown.things import Failure
    from pipelines.delivery.deployment.journal import Journal

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", re.ASCII)
_PROJECT_ID = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,19}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "teardown-project",
        "List what a project has made, with what it costs a month; with --yes, remove it. "
        "Exit code: 0 listed or removed, 1 something could not be found or removed, 2 wrong usage.",
    )
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    parser.add_argument("--stop", action="store_true", help="with --yes, stop executions of the pipeline that run")
    parser.add_argument(
        "--name",
        metavar="NAME",
        type=_parse_name,
        help="what pipeline, group and key prefix are called in a SageMaker project: <project's name>-<project's id>",
    )
    parser.add_argument(
        "-n",
        "--module-name",
        metavar="MODULE",
        type=parse_text,
        help=f"the pipeline whose settings have the names (default {DEFAULT_MODULE})",
    )
    parser.add_argument(
        "--project-id", metavar="ID", type=_parse_project, help="the SageMaker project, whose tags are looked for too"
    )
    parser.add_argument(
        "--bucket", metavar="NAME", type=_parse_bucket, help="where the project's data are (default: as run-pipeline)"
    )
    command_line.add_local_flags(parser)
    return parser


def _parse_name(text: str) -> str:
    return _matching(text, _NAME, "name: expected at most 63 letters, digits and hyphens")


def _parse_project(text: str) -> str:
    return _matching(text, _PROJECT_ID, "project's id: expected at most 20 letters, digits and hyphens")


def _parse_bucket(text: str) -> str:
    return _matching(text, _BUCKET, "bucket: expected its name, without s3://")


def _matching(text: str, pattern: re.Pattern[str], said: str) -> str:
    if not pattern.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no {said}")
    return text


def _run(options: argparse.Namespace) -> int:
    _check_flags(options)
    names = _names(options)
    if options.local and not (options.local_root or Path(DEFAULT_ROOT)).exists():
        _print([f"{names.group}: nothing to remove, for there is no {DEFAULT_ROOT} in this folder"])
        return 0
    # These bring botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.adoption.account import open_account  # noqa: PLC0415
    from pipelines.adoption.teardown.inventory import take_inventory  # noqa: PLC0415
    from pipelines.adoption.teardown.site import Site  # noqa: PLC0415
    from pipelines.delivery.attention import Attention  # noqa: PLC0415
    from pipelines.delivery.deployment.journal import Journal  # noqa: PLC0415
    from pipelines.delivery.deployment.tools import Tools  # noqa: PLC0415
    from pipelines.delivery.interrupt import interrupts  # noqa: PLC0415

    again = _typed(options, "--yes", *(["--stop"] if options.stop else []))
    with command_line.open_site(options, find_region=lambda: region_of(options)) as opened, interrupts() as interrupt:
        journal = Journal(sys.stdout)
        tools = Tools(opened, Attention(interrupt, advise=lambda _: f"the same command goes on: {again}"), journal)
        site = Site(tools, open_account(opened.session), names)

        def go_on() -> None:
            if interrupt.is_set():
                raise KeyboardInterrupt

        inventory = take_inventory(site, go_on)
        _print(_listed(options, site, inventory))
        try:
            return _remove(options, inventory, journal, go_on) if options.yes else _told(inventory)
        finally:
            journal.close()


def _check_flags(options: argparse.Namespace) -> None:
    root = options.local_root
    mistakes = {
        command_line.ROOT_WITHOUT_LOCAL: options.local_root and not options.local,
        "--stop stops what runs: add --yes": options.stop and not options.yes,
        "--name names everything itself: leave out --module-name": options.name and options.module_name,
        "--project-id is for AWS: leave it out with --local": options.local and options.project_id,
        f"{root} does not exist: give another --local-root": root and options.local and not root.exists(),
    }
    if mistake := next((text for text, is_made in mistakes.items() if is_made), None):
        raise UsageError(mistake)


def _names(options: argparse.Namespace) -> Names:
    from pipelines.adoption.teardown.names import Names  # noqa: PLC0415 - as in _run

    more = {"bucket": options.bucket, "project_id": options.project_id}
    if options.name:
        return Names(options.name, options.name, options.name, **more)
    module = options.module_name or DEFAULT_MODULE
    wanted = {"PIPELINE_NAME": "name", GROUP_SETTING: "model package group", "BASE_JOB_PREFIX": "key prefix"}
    pipeline, group, prefix = (
        setting_of(module, setting, said, flag="--name NAME") for setting, said in wanted.items()
    )
    return Names(pipeline, group, prefix, **more)


def _listed(options: argparse.Namespace, site: Site, inventory: Inventory) -> Iterable[str]:
    from pipelines.adoption.teardown.listing import listing  # noqa: PLC0415 - as in _run
    from pipelines.adoption.teardown.prices import read_prices  # noqa: PLC0415

    yield f"{site.names.group} in {site.place}: {len(inventory.removable)} to remove"
    if inventory.things:
        yield ""
        # On this machine nothing is paid for.
        yield from listing(inventory, None if options.local else read_prices())
    if inventory.removable and not options.yes:
        stop = ["--stop"] if inventory.running else []
        yield ""
        yield f"next: {_typed(options, '--yes', *stop)}  # removes all that does not stay"


def _told(inventory: Inventory) -> int:
    _refuse(inventory.failures, "could not be looked at")
    return 0


def _remove(options: argparse.Namespace, inventory: Inventory, journal: Journal, go_on: Callable[[], None]) -> int:
    from pipelines.adoption.teardown.removal import remove  # noqa: PLC0415 - as in _run

    if inventory.running and not options.stop:
        count = len(inventory.running)
        run, their = ("execution of the pipeline runs", "its") if count == 1 else ("executions of it run", "their")
        raise DeliveryError(f"{count} {run}, and nothing was removed: wait for {their} end, or add --stop")
    _refuse(remove(inventory, journal, go_on), "could not be removed")
    return 0


def _refuse(failures: Sequence[Failure], said: str) -> None:
    """Tell every failure, and raise where there is one."""
    from pipelines.adoption.teardown.listing import failed  # noqa: PLC0415 - as in _run

    if failures:
        _print(["", *failed(failures)])
        what = "1 thing" if len(failures) == 1 else f"{len(failures)} things"
        raise DeliveryError(f"{what} {said}, see above: correct that, and run the same command again")


def _typed(options: argparse.Namespace, *words: str) -> str:
    """Return this command as it is typed here, with other words added."""
    given = {
        "--name": options.name,
        "--module-name": options.module_name,
        "--project-id": options.project_id,
        "--bucket": options.bucket,
        "--local-root": options.local_root,
    }
    named = [part for flag, value in given.items() if value for part in (flag, str(value))]
    local = ["--local"] if options.local else []
    return f"{command_line.typed_name('teardown-project')} {shlex.join([*words, *local, *named])}"


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
