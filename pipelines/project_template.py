"""project-template: install the project template in an account, check what it needs, take it away again."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines import command_line
from pipelines.adoption.installation.installer import STACK
from pipelines.command_line import Parser, parse_path, parse_text
from pipelines.delivery.errors import UsageError

if TYPE_CHECKING:
    from pipelines.adoption.account import Account
    from pipelines.adoption.doctor.subject import GitHub, Subject
    from pipelines.adoption.installation.order import Change, Order
    from pipelines.delivery.run import Site

PROVIDERS = ("github", "codebuild")
SETTINGS = Path(__file__).parent / "fraud" / "settings.json"
GITHUB_API = "https://api.github.com"
NOTHING_DONE = "nothing was changed: add --yes to do it"
TEMPLATE: Final[dict[str, Any]] = {
    "metavar": "FILE",
    "type": parse_path,
    "help": "the template (default: project-template/template.yml of this checkout)",
}
DOMAIN: Final[dict[str, Any]] = {
    "metavar": "ID",
    "type": parse_text,
    "help": "the Studio domain (default: the only one of the region)",
}
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@/-]+", re.ASCII)
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}", re.ASCII)
_REPOSITORY = re.compile(r"[a-zA-Z0-9_-]+/[a-zA-Z0-9._-]+", re.ASCII)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "project-template",
        "The template of SageMaker projects in an AWS account. "
        "Exit code: 0 done, or no problem was found, 1 refused, failed or a problem was found, 2 wrong usage.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_install(commands)
    _add_doctor(commands)
    _add_uninstall(commands)
    return parser


def _add_install(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "install the template, or bring it up to date; without --yes, only say what would change"
    install = _add_command(commands, "install", text)
    install.add_argument("--domain-id", **DOMAIN)
    install.add_argument("--template", **TEMPLATE)
    install.add_argument(
        "--execution-role",
        metavar="ARN",
        type=_parse_role,
        action="append",
        default=[],
        help="a role that creates projects, besides the domain's; can be given more than once",
    )
    install.add_argument(
        "--service-catalog",
        action="store_true",
        help="make it a product of Service Catalog, and leave the domain's templates in S3 as they are",
    )
    install.add_argument("--yes", action="store_true", help="do it")
    install.set_defaults(work=_install)


def _add_doctor(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "check what a project needs, and say how to mend what is missing; changes nothing"
    doctor = _add_command(commands, "doctor", text)
    doctor.add_argument("--domain-id", **DOMAIN)
    doctor.add_argument("--template", **TEMPLATE)
    doctor.add_argument(
        "--provider", choices=PROVIDERS, default=PROVIDERS[0], help=f"what builds and deploys (default {PROVIDERS[0]})"
    )
    doctor.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        type=_parse_repository,
        help="the repository on GitHub (default: GITHUB_REPOSITORY); its environments are read with GITHUB_TOKEN",
    )
    doctor.add_argument(
        "--connection-arn", metavar="ARN", type=parse_text, help="CodeBuild's connection (default: any to GitHub)"
    )
    doctor.add_argument(
        "--settings",
        metavar="FILE",
        type=parse_path,
        default=SETTINGS,
        help="the project's settings, for its instance types (default: pipelines/fraud/settings.json)",
    )
    doctor.set_defaults(work=_examine)


def _add_uninstall(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "take the template away; without --yes, only say what would be deleted"
    uninstall = _add_command(commands, "uninstall", text)
    uninstall.add_argument("--delete-objects", action="store_true", help="delete what others put into the bucket, too")
    uninstall.add_argument("--yes", action="store_true", help="do it")
    uninstall.set_defaults(work=_uninstall)


def _add_command(commands: argparse._SubParsersAction[Parser], name: str, text: str) -> argparse.ArgumentParser:
    # The abbreviations that argparse makes up would change their meaning with each new option.
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument(
        "--stack-name", metavar="NAME", type=_parse_stack, default=STACK, help=f"its stack (default {STACK})"
    )
    command.set_defaults(local=False, local_root=None, settings=SETTINGS)
    return command


def _parse_role(text: str) -> str:
    if not _ROLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no role's ARN: expected arn:aws:iam::<account>:role/<name>")
    return text


def _parse_stack(text: str) -> str:
    if not _STACK.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no name of a stack: expected letters, digits and hyphens")
    return text


def _parse_repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no repository: expected OWNER/NAME")
    return text


def _run(options: argparse.Namespace) -> int:
    code: int = options.work(options)
    return code


def _install(options: argparse.Namespace) -> int:
    # Botocore is too slow for an answer to a mistyped flag.
    from pipelines.adoption.account import open_account  # noqa: PLC0415
    from pipelines.adoption.installation.install import changes, project_request  # noqa: PLC0415
    from pipelines.adoption.installation.instructions import as_command, as_program  # noqa: PLC0415

    with command_line.open_site(options, find_region=lambda: _region(options)) as site:
        account = open_account(site.session)
        order = _order(options, account)
        _say_where(account, f"domain {order.domain.id}" if order.domain else "no Studio domain")
        if _carry_out(lambda: changes(account, order), does=options.yes):
            request = project_request(account, order)
            _print(
                ["", "a project is made by", "", as_command(request), "", "or, from Python,", "", as_program(request)]
            )
    return 0


def _examine(options: argparse.Namespace) -> int:
    if not options.settings.is_file():
        raise UsageError(
            f"--settings {options.settings}: there is no such file: give the settings.json of a pipeline, "
            f"or leave it out for {SETTINGS}"
        )
    # As in _install.
    from pipelines.adoption.doctor.examine import examine, without_account  # noqa: PLC0415
    from pipelines.adoption.doctor.finding import Verdict  # noqa: PLC0415

    with command_line.open_site(options, find_region=lambda: _region(options)) as site:
        findings = without_account(site.session) or examine(_subject(options, site))
        verdicts = []
        for finding in findings:
            _print(finding.lines())
            verdicts.append(finding.verdict)
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    unchecked = counts[Verdict.UNKNOWN] + counts[Verdict.LEFT_OUT]
    _print([f"{counts[Verdict.OK]} OK, {counts[Verdict.PROBLEM]} problems, {unchecked} not checked"])
    return 1 if counts[Verdict.PROBLEM] or counts[Verdict.UNKNOWN] else 0


def _subject(options: argparse.Namespace, site: Site) -> Subject:
    from pipelines.adoption.account import open_account  # noqa: PLC0415 - as in _install
    from pipelines.adoption.doctor.subject import Subject  # noqa: PLC0415
    from pipelines.adoption.installation.source import read_source  # noqa: PLC0415
    from pipelines.delivery.settings import read_settings  # noqa: PLC0415

    return Subject(
        account=open_account(site.session),
        source=read_source(options.template),
        settings=read_settings(options.settings),
        stack_name=options.stack_name,
        domain_id=options.domain_id,
        github=_github(options) if options.provider == "github" else None,
        connection=options.connection_arn,
    )


def _github(options: argparse.Namespace) -> GitHub:
    from pipelines.adoption.doctor.subject import GitHub  # noqa: PLC0415 - as in _install

    return GitHub(
        url=os.environ.get("GITHUB_API_URL") or GITHUB_API,
        repository=options.repository or os.environ.get("GITHUB_REPOSITORY") or None,
        token=os.environ.get("GITHUB_TOKEN") or None,
    )


def _uninstall(options: argparse.Namespace) -> int:
    # As in _install.
    from pipelines.adoption.account import open_account  # noqa: PLC0415
    from pipelines.adoption.installation.stack import find_stack  # noqa: PLC0415
    from pipelines.adoption.installation.uninstall import changes  # noqa: PLC0415

    with command_line.open_site(options, find_region=lambda: _region(options)) as site:
        account = open_account(site.session)
        stack = find_stack(account.client("cloudformation"), options.stack_name)
        _say_where(account)
        if stack is None:
            _print([f"there is no stack {options.stack_name}: nothing to delete"])
            return 0

        def plan() -> Iterator[Change]:
            return changes(account, stack, deletes_objects=options.delete_objects)

        _carry_out(plan, does=options.yes)
    return 0


def _region(options: argparse.Namespace) -> str | None:
    """Return the region of the project's settings."""
    from pipelines.delivery.settings import read_settings  # noqa: PLC0415 - as in _install

    return read_settings(options.settings).region


def _order(options: argparse.Namespace, account: Account) -> Order:
    from pipelines.adoption.installation.domain import find_domain  # noqa: PLC0415 - as in _install
    from pipelines.adoption.installation.order import Order  # noqa: PLC0415
    from pipelines.adoption.installation.source import read_source  # noqa: PLC0415

    source, domain = read_source(options.template), find_domain(account, options.domain_id)
    given = [domain.role] if domain and domain.role else []
    roles = tuple(dict.fromkeys([*given, *options.execution_role]))
    if not roles:
        raise UsageError(
            f"{account.region} has no Studio domain with an execution role: give the role that creates projects "
            "by --execution-role ARN, or the domain's region by AWS_DEFAULT_REGION"
        )
    return Order(source, options.stack_name, domain, roles, service_catalog=options.service_catalog)


def _say_where(account: Account, *more: str) -> None:
    _print([", ".join((f"account {account.number}", account.region, *more, f"as {account.caller}"))])


def _carry_out(plan: Callable[[], Iterator[Change]], *, does: bool) -> bool:
    """Say what is to be changed, and change it if that is wished; return whether all is as it should be."""
    planned = [change.says for change in plan()]
    if not planned:
        _print(["nothing to change"])
        return True
    _print([f"to do: {says}" for says in planned])
    if not does:
        _print([NOTHING_DONE])
        return False
    for change in plan():
        change.make()
        _print([f"done: {change.says}"])
    return True


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
