"""approve-model: show what waits for a decision, one model package in full, and approve or reject it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import DEFAULT_MODULE, DEFAULT_ROOT, Parser, parse_path, parse_text
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_target
from pipelines.delivery.lifecycle import DEPLOYED, STAGES
from pipelines.pipeline_module import group_of, region_of

if TYPE_CHECKING:
    from pipelines.delivery.approval.decision import Decided, Decision
    from pipelines.delivery.approval.facts import Facts
    from pipelines.delivery.approval.serving import Serving
    from pipelines.delivery.packages import ModelPackage
    from pipelines.delivery.run import Site

LISTED = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "approve-model",
        "Show which model packages wait for a decision, show one in full, approve or reject one. "
        "Exit code: 0 shown, decided or decided so before, 1 refused or failed, 2 wrong usage.",
    )
    parser.add_argument(
        "package", metavar="VERSION|ARN", nargs="?", type=parse_text, help="a version of the group, or its ARN"
    )
    parser.add_argument("--all", action="store_true", help="list what was decided too")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--approve", action="store_true", help="approve it")
    decision.add_argument("--reject", action="store_true", help="reject it; --note says why")
    parser.add_argument("--note", metavar="TEXT", help="why; kept in the registry beside who and when")
    parser.add_argument("--stage", choices=STAGES, help="decide about this stage of a package that is approved")
    parser.add_argument("--force", action="store_true", help="approve what was rejected or rolled back")
    _add_flags_of_place(parser)
    return parser


def _add_flags_of_place(parser: Parser) -> None:
    command_line.add_group_flags(parser)
    parser.add_argument("--json", metavar="FILE", type=parse_path, help="write what is shown or done, for machines")
    command_line.add_local_flags(parser)


def _run(options: argparse.Namespace) -> int:
    _check_flags(options)
    decision = _decision(options)
    group = options.group or group_of(options.module_name or DEFAULT_MODULE)
    with command_line.open_site(options, find_region=lambda: region_of(options)) as site:
        if options.json:
            # Else a reader could take an earlier document for that of a command that failed.
            options.json.unlink(missing_ok=True)
        if options.package is None:
            facts = _list(options, site, group)
        elif decision is None:
            facts = _show(options, site, group)
        else:
            facts = _decide(options, site, group, decision)
    if options.json:
        from pipelines.delivery.approval.facts import write_facts  # noqa: PLC0415 - as in _list

        write_facts(facts, options.json)
    return 0


def _check_flags(options: argparse.Namespace) -> None:
    if mistake := next((text for text, is_made in _mistakes(options).items() if is_made), None):
        raise UsageError(mistake)
    if options.json:
        check_target(options.json, "--json")
    root = options.local_root or Path(DEFAULT_ROOT)
    if options.local and not root.exists():
        raise UsageError(f"{root} does not exist: run run-pipeline --local here first, or give another --local-root")


def _mistakes(options: argparse.Namespace) -> dict[str, object]:
    decides = options.approve or options.reject
    named = options.package is not None
    return {
        command_line.ROOT_WITHOUT_LOCAL: options.local_root and not options.local,
        "--approve and --reject need a version, such as: approve-model 7 --approve": decides and not named,
        "--all lists every version: leave out --all or the version": options.all and named,
        "--note, --stage and --force belong to a decision: add --approve or --reject": not decides
        and (options.note is not None or options.stage or options.force),
        "--reject needs a reason: say why with --note": options.reject and options.note is None,
        "--force approves what was turned down: leave it out with --reject": options.force and options.reject,
        "--force needs a reason: say why with --note": options.force and options.note is None,
        "--group names the group itself: leave out --module-name": options.group and options.module_name,
    }


def _decision(options: argparse.Namespace) -> Decision | None:
    if not (options.approve or options.reject):
        return None
    # As in _list.
    from pipelines.delivery.approval.decision import Decision, check_note  # noqa: PLC0415

    note = None if options.note is None else check_note(options.note)
    return Decision(approves=options.approve, note=note, stage=options.stage, force=options.force)


def _list(options: argparse.Namespace, site: Site, group: str) -> Facts:
    # These bring botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.delivery.approval.facts import listed_facts  # noqa: PLC0415
    from pipelines.delivery.approval.listing import headline, table  # noqa: PLC0415
    from pipelines.delivery.packages import PENDING, describe, find_champion, list_arns  # noqa: PLC0415

    waiting = list_arns(site.client, group, approval=PENDING)
    champion = find_champion(site.client, group)
    arns = list_arns(site.client, group) if options.all else waiting
    packages = [describe(site.client, arn) for arn in arns[:LISTED]]
    not_shown = len(arns) - len(packages)
    lines = [headline(group, len(waiting), champion)]
    if packages:
        lines += ["", *table(packages, champion, datetime.now(UTC), with_approval=options.all)]
    if not_shown:
        lines += [f"and {not_shown} older ones"]
    _print([*lines, *_next_of_list(options, [package for package in packages if package.can_be_approved])])
    return listed_facts(group, packages, champion, not_shown=not_shown)


def _next_of_list(options: argparse.Namespace, waiting: Sequence[ModelPackage]) -> Iterator[str]:
    from pipelines.delivery.approval.decision import PLACEHOLDER  # noqa: PLC0415 - as in _list

    if waiting:
        version = str(waiting[0].version)
        yield ""
        yield f"in full: {_typed(options, 'approve-model', version)}"
        yield f"next: {_typed(options, 'approve-model', version, '--approve', '--note', PLACEHOLDER)}"
    elif not options.all:
        yield ""
        yield f"next: {_typed(options, 'approve-model', '--all')}  # lists what was decided"


def _show(options: argparse.Namespace, site: Site, group: str) -> Facts:
    # As in _list.
    from pipelines.delivery.approval.caution import cautions  # noqa: PLC0415
    from pipelines.delivery.approval.dossier import gather_dossier  # noqa: PLC0415
    from pipelines.delivery.approval.facts import shown_facts  # noqa: PLC0415
    from pipelines.delivery.approval.page import page  # noqa: PLC0415
    from pipelines.delivery.packages import find  # noqa: PLC0415

    package = find(site.client, group, options.package)
    dossier = gather_dossier(site, package)
    _print(page(dossier, site.places, datetime.now(UTC)))
    _print(["", *(f"beware: {each}" for each in cautions(package, dossier.champion)), *_choices(options, package)])
    return shown_facts(dossier)


def _choices(options: argparse.Namespace, package: ModelPackage) -> Iterator[str]:
    """Yield the commands that decide about a package, as far as they would change it."""
    from pipelines.delivery.approval.decision import PLACEHOLDER  # noqa: PLC0415 - as in _list

    version, why = str(package.version), ("--note", PLACEHOLDER)
    if package.can_be_approved:
        yield f"approve: {_typed(options, 'approve-model', version, '--approve', *why)}"
    elif package.approval == "Rejected":
        yield f"approve: {_typed(options, 'approve-model', version, '--approve', '--force', *why)}"
    if package.approval != "Rejected":
        yield f"reject:  {_typed(options, 'approve-model', version, '--reject', *why)}"


def _decide(options: argparse.Namespace, site: Site, group: str, decision: Decision) -> Facts:
    # As in _list.
    from pipelines.delivery.approval.decision import decide  # noqa: PLC0415
    from pipelines.delivery.approval.facts import decided_facts  # noqa: PLC0415
    from pipelines.delivery.approval.serving import find_serving  # noqa: PLC0415
    from pipelines.delivery.caller import find_caller  # noqa: PLC0415
    from pipelines.delivery.packages import find  # noqa: PLC0415

    caller = find_caller(site.session, os.environ)
    # Described last, so that little can happen between what is seen and what is done.
    package = find(site.client, group, options.package)
    decided = decide(site.client, package, decision, caller, datetime.now(UTC))
    # The registry does not know what serves, for nobody tells it of what took a version's place.
    asked = () if decision.approves else (decision.stage,) if decision.stage else STAGES
    serving = find_serving(site.client, package, asked)
    _print([*_outcome(options, decided, decision), *_ways_out(options, package, serving)])
    return decided_facts(decided, decision, caller, serving)


def _outcome(options: argparse.Namespace, decided: Decided, decision: Decision) -> Iterator[str]:
    if not decided.changed:
        yield f"{decided.says}; nothing was changed"
        return
    yield decided.says
    yield f"  {decided.note}"
    if decision.approves:
        stage, version = decision.stage or "staging", str(decided.package.version)
        yield f"next: {_typed(options, 'deploy-model', '--stage', stage, '--model-package', version)}"


def _ways_out(options: argparse.Namespace, package: ModelPackage, serving: Serving) -> Iterator[str]:
    """Yield the commands that take a rejected package out of where it serves."""
    for stage in serving.stages:
        back = _typed(options, "deploy-model", "--stage", stage, "--rollback")
        yield f"it still serves in {stage}; next: {back}  # takes it out"
    if serving.unseen:
        was = f"it was deployed to {package.stage}; " if package.stage_status == DEPLOYED else ""
        yield f"{was}what serves in {' and '.join(serving.unseen)} now could not be seen"


def _typed(options: argparse.Namespace, command: str, *words: str) -> str:
    """Return a command as it is typed here, about the same registry."""
    given = {"--group": options.group, "--module-name": options.module_name, "--local-root": options.local_root}
    named = [part for flag, value in given.items() if value for part in (flag, str(value))]
    local = ["--local"] if options.local else []
    return f"{command_line.typed_name(command)} {shlex.join([*words, *local, *named])}"


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
