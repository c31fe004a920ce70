"""run-pipeline: compile a pipeline, run it, follow it, and end with the gate's verdict."""

from __future__ import annotations

import argparse
import math
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import Parser, parse_tags
from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_folder, check_target
from pipelines.delivery.parameters import check_parameters
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.tags import complete_tags
from pipelines.delivery.wording import one_line
from pipelines.input_data import PARAMETER, check_input_data, prefix_of, send_input_data
from pipelines.pipeline_module import Compiled, compile_module, role_of

if TYPE_CHECKING:
    from pipelines.delivery.identity import Identity
    from pipelines.delivery.run import Result, Site

Say = Callable[[str], None]
Start = Callable[[Say], str]

APPROVAL = "ModelApprovalStatus"
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@/-]+")
_FLAGS_OF_A_START = (
    "module_name",
    "kwargs",
    "definition",
    "pipeline_name",
    "parameters",
    "input_data",
    "description",
    "tags",
    "role_arn",
    "commit",
    "run_key",
    "no_wait",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(_parser(), _run, argv)


def _parser() -> Parser:
    parser = Parser(
        "run-pipeline",
        "Run a pipeline and judge it. Exit code: 0 a model was registered, 3 the gate rejected it, "
        "1 anything failed, 2 wrong usage.",
    )
    command_line.add_module_flags(parser)
    command_line.add_local_flags(parser)
    parser.add_argument("--definition", metavar="FILE", type=Path, help="run this definition; no module is imported")
    parser.add_argument("--pipeline-name", metavar="NAME", help="with --definition (default: from the file's name)")
    parser.add_argument(
        "--parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_parse_parameter,
        dest="parameters",
        help="a parameter of this run (repeatable)",
    )
    parser.add_argument("--description", metavar="TEXT", help="the pipeline's description")
    parser.add_argument("--tags", metavar="JSON", type=parse_tags, default=(), help="the pipeline's tags: a JSON list")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the outcome here, for machines")
    parser.add_argument("--report", metavar="DIR", type=Path, help="write report.html, report.md and report.xml here")
    parser.add_argument("--no-wait", action="store_true", help="print the execution's ARN and do not follow it")
    _add_flags_of_following(parser)
    _add_flags_of_identity(parser)
    return parser


def _add_flags_of_following(parser: Parser) -> None:
    parser.add_argument("--follow", metavar="ARN", help="start nothing; follow and judge this execution")
    parser.add_argument(
        "--timeout",
        metavar="MINUTES",
        type=_parse_minutes,
        help="follow for so long; the execution then goes on, exit code 1",
    )
    parser.add_argument(
        "--stop-on-interrupt", action="store_true", help="Ctrl-C stops the execution in AWS too, not just the following"
    )
    parser.add_argument(
        "--no-regression",
        metavar="DELTA",
        type=_parse_delta,
        help="reject a model whose ROC AUC is below the approved champion's by more than this",
    )


def _add_flags_of_identity(parser: Parser) -> None:
    parser.add_argument(
        "--commit",
        metavar="SHA|HEAD",
        help="the commit of this run, which starts once and is attached to from then on (default in AWS: CI's)",
    )
    parser.add_argument("--run-key", metavar="TEXT", help="makes another run of a commit that had one already")


def _parse_minutes(text: str) -> float:
    minutes = _number(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of minutes above 0, not '{text}'")
    return minutes


def _parse_delta(text: str) -> float:
    delta = _number(text)
    if not 0 <= delta <= 1:
        raise argparse.ArgumentTypeError(f"expected a difference of ROC AUC from 0 to 1, not '{text}'")
    return delta


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _parse_parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not '{text}'")
    return name, value


def _run(options: argparse.Namespace) -> int:
    _check(options)
    if options.follow:
        return _follow(options)
    # A mistake in a file is found before anything is opened.
    prepared = _prepare(options, _read_definition(options)) if options.definition else None
    with command_line.open_site(options, runs_jobs=True) as site:
        order, run = prepared or _prepare(options, compile_module(options, site.session))
        run = _send_input_data(options, run, site)
        order, run, identity = _identify(options, order, run)
        if options.no_wait:
            return _launch(site, order, run, identity)
        return _launch_and_follow(options, site, order, run, identity)


def _check(options: argparse.Namespace) -> None:
    if mistake := next((text for text, is_made in _mistakes(options).items() if is_made), None):
        raise UsageError(mistake)
    if options.json:
        check_target(options.json, "--json")
    if options.report:
        check_folder(options.report, "--report")
    if options.input_data:
        check_input_data(options.input_data)
    if options.commit:
        from pipelines.delivery.commit import check_commit  # noqa: PLC0415 - few name one

        check_commit(options.commit)
    if not options.follow:
        _role(options)


def _mistakes(options: argparse.Namespace) -> dict[str, object]:
    names = [name for name, _ in options.parameters]
    given_twice = next((name for name in names if names.count(name) > 1), None)
    started = next((f"--{name.replace('_', '-')}" for name in _FLAGS_OF_A_START if getattr(options, name)), None)
    return {
        f"--follow starts nothing: leave out {started}": options.follow and started,
        "--timeout: a local run ends with this command; leave out --timeout or --local": options.timeout
        and options.local,
        "--run-key is for a run of a commit: give --commit too": options.run_key
        and options.local
        and not options.commit,
        "--no-wait compares nothing: give --no-regression when you --follow": options.no_wait
        and options.no_regression is not None,
        "--definition runs without a module: leave out --module-name and --kwargs": options.definition
        and (options.module_name or options.kwargs is not None),
        "--pipeline-name is for --definition; a module's pipeline has its name from --kwargs": options.pipeline_name
        and not options.definition,
        "--no-wait: a local run ends with this command; leave out --no-wait or --local": options.no_wait
        and options.local,
        "--no-wait knows no outcome: leave out --no-wait or --json": options.no_wait and options.json,
        "--no-wait knows no outcome: leave out --no-wait or --report": options.no_wait and options.report,
        f"--parameter {given_twice} is given twice: give it once": given_twice,
        f"--input-data sets the parameter {PARAMETER}: give one of the two": options.input_data and PARAMETER in names,
    }


def _prepare(options: argparse.Namespace, compiled: Compiled) -> tuple[PipelineOrder, Run]:
    order = PipelineOrder(
        name=compiled.name,
        definition=compiled.definition,
        role_arn=_role(options),
        description=options.description,
        tags=complete_tags(options.tags),
        bucket=(options.kwargs or {}).get("default_bucket"),
    )
    input_data = {PARAMETER: compiled.input_data or options.input_data} if options.input_data else {}
    definition = parse_definition(compiled.definition, str(options.definition or compiled.name))
    run = Run(definition, {**dict(options.parameters), **input_data})
    check_parameters(run)
    if options.no_regression is not None and run.values.get(APPROVAL) == "Approved":
        raise UsageError(
            f"--no-regression: a model that is registered as Approved may be deployed before it is compared; "
            f"leave out --no-regression or {APPROVAL}=Approved"
        )
    return order, run


def _send_input_data(options: argparse.Namespace, run: Run, site: Site) -> Run:
    value = run.parameters.get(PARAMETER) if options.input_data else None
    if value is None:
        return run
    prefix = prefix_of(run.definition.parameters[PARAMETER].default)
    uri = send_input_data(value, site.session, options.kwargs or {}, prefix)
    return replace(run, parameters={**run.parameters, PARAMETER: uri})


def _role(options: argparse.Namespace) -> str:
    role = role_of(options)
    if role is None:
        raise UsageError("--role-arn is needed in AWS: the ARN of the role that the pipeline and its jobs run with")
    if not _ROLE.fullmatch(str(role)):
        raise UsageError(f"--role-arn {role} is no role's ARN: expected arn:aws:iam::<account>:role/<name>")
    return role


def _identify(
    options: argparse.Namespace, order: PipelineOrder, run: Run
) -> tuple[PipelineOrder, Run, Identity | None]:
    """Tell the run its commit; in AWS, and where one is given, the commit has this run once."""
    # Git is asked only where somebody wants to know.
    if options.local and not options.commit and "CommitId" not in run.definition.parameters:
        return order, run, None
    from pipelines.delivery.commit import find_commit, with_commit  # noqa: PLC0415

    commit = find_commit(options.commit, Path.cwd())
    run = with_commit(run, commit)
    # A run on this machine costs nothing, so only who names the commit wants to find one again.
    if commit.sha is None or not commit.is_binding or (options.local and not options.commit):
        return order, run, None
    from pipelines.delivery.identity import identify  # noqa: PLC0415 - as in _launch

    order = replace(order, tags=complete_tags(order.tags, commit.sha))
    return order, run, identify(commit.sha, order.name, run, options.run_key)


def _read_definition(options: argparse.Namespace) -> Compiled:
    path: Path = options.definition
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--definition {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--definition {path} is not UTF-8 text: {error}") from error
    name = options.pipeline_name or re.sub("[^a-zA-Z0-9]+", "-", path.stem).strip("-")
    if not name:
        raise UsageError(f"--definition {path}: no pipeline name can be made from the file's; give --pipeline-name")
    return Compiled(name, text)


def _launch(site: Site, order: PipelineOrder, run: Run, identity: Identity | None) -> int:
    # This brings botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.delivery.run import launch  # noqa: PLC0415

    sys.stdout.write(f"{launch(site, order, run, identity).arn}\n")
    return 0


def _launch_and_follow(
    options: argparse.Namespace, site: Site, order: PipelineOrder, run: Run, identity: Identity | None
) -> int:
    from pipelines.delivery.run import launch  # noqa: PLC0415 - as in _launch

    def start(say: Say) -> str:
        launched = launch(site, order, run, identity)
        if launched.change == "attached":
            say(f"this commit has this run already; another one has a --run-key. Following {launched.arn}")
        else:
            say(f"pipeline {order.name} {launched.change}; execution {launched.arn}")
        return launched.arn

    return _complete(options, site, run, order.name, start)


def _follow(options: argparse.Namespace) -> int:
    from pipelines.delivery.followed import check_arn, check_owner, read_run  # noqa: PLC0415 - few follow

    check_arn(options.follow)
    with command_line.open_site(options) as site:
        check_owner(options.follow, site.session)
        run, name = read_run(site.client, options.follow), options.follow.split("/")[1]
        return _complete(options, site, run, name, lambda _: str(options.follow))


def _complete(options: argparse.Namespace, site: Site, run: Run, pipeline: str, start: Start) -> int:
    # As in _launch.
    from pipelines.delivery.attention import Attention  # noqa: PLC0415
    from pipelines.delivery.interrupt import interrupts  # noqa: PLC0415
    from pipelines.delivery.progress import make_progress  # noqa: PLC0415
    from pipelines.delivery.run import complete  # noqa: PLC0415

    progress = make_progress(run.definition, pipeline, sys.stdout)
    with interrupts() as interrupt:
        if options.json:
            # Else a reader could take an earlier run's outcome for that of a run that was killed.
            options.json.unlink(missing_ok=True)
        if options.report:
            from pipelines.delivery.report.writing import clear  # noqa: PLC0415 - few want one

            clear(options.report)
        arn, attention = start(progress.say), Attention(interrupt, minutes=options.timeout)
        result = complete(site, arn, run, progress, attention, max_regression=options.no_regression)
        _report(options, result)
        _write_report(options, site, result)
    return result.verdict.exit_code


def _report(options: argparse.Namespace, result: Result) -> None:
    from pipelines.delivery.outcome import make_outcome, write_outcome  # noqa: PLC0415 - as in _launch
    from pipelines.delivery.summary import summarize  # noqa: PLC0415

    if options.json:
        write_outcome(make_outcome(result), options.json)
    again = _no_command if options.follow else _again
    sys.stdout.writelines(f"{line}\n" for line in summarize(result, again))


def _write_report(options: argparse.Namespace, site: Site, result: Result) -> None:
    """Write the report; where that fails, say so and let the verdict stand, for the run has ended as it has."""
    if not options.report:
        return
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in _launch

    from pipelines.delivery.report.writing import write_report  # noqa: PLC0415

    try:
        write_report(site, result, options.report)
    except (BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"run-pipeline: there is no report in {options.report}: {one_line(str(error))}\n")


def _no_command(parameter: str, value: str) -> None:
    """Give none: who follows a run need not have what it was started with."""


def _again(parameter: str, value: str) -> str:
    """Give the command that was typed, with one parameter changed."""
    words = iter(sys.argv[1:])
    kept: list[str] = []
    for word in words:
        assignment = next(words, "") if word == "--parameter" else word.removeprefix("--parameter=")
        if word.startswith("--parameter") and assignment.startswith(f"{parameter}="):
            continue
        kept += [word, assignment] if word == "--parameter" else [word]
    return f"{command_line.typed_name('run-pipeline')} {shlex.join([*kept, '--parameter', f'{parameter}={value}'])}"


if __name__ == "__main__":
    sys.exit(main())
