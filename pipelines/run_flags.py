"""The flags of run-pipeline, and what they say together: mistakes are found before anything is opened or sent."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import (
    DEFAULT_ROOT,
    Parser,
    parse_difference,
    parse_minutes,
    parse_path,
    parse_tags,
    parse_text,
)
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_folder, check_target
from pipelines.input_data import PARAMETER, check_input_data
from pipelines.pipeline_module import role_of

if TYPE_CHECKING:
    from pipelines.delivery.tracking.places import Tracking

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


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "run-pipeline",
        "Run a pipeline and judge it. Exit code: 0 a model was registered, 3 the gate rejected it, "
        "1 anything failed, 2 wrong usage.",
    )
    command_line.add_module_flags(parser)
    command_line.add_local_flags(parser)
    parser.add_argument(
        "--definition", metavar="FILE", type=parse_path, help="run this definition; no module is imported"
    )
    parser.add_argument(
        "--pipeline-name", metavar="NAME", type=parse_text, help="with --definition (default: from the file's name)"
    )
    parser.add_argument(
        "--parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_parse_parameter,
        dest="parameters",
        help="a parameter of this run (repeatable)",
    )
    parser.add_argument("--description", metavar="TEXT", type=parse_text, help="the pipeline's description")
    parser.add_argument("--tags", metavar="JSON", type=parse_tags, default=(), help="the pipeline's tags: a JSON list")
    parser.add_argument("--json", metavar="FILE", type=parse_path, help="write the outcome here, for machines")
    parser.add_argument(
        "--report", metavar="DIR", type=parse_path, help="write report.html, report.md and report.xml here"
    )
    parser.add_argument(
        "--track",
        metavar="URI",
        type=parse_text,
        nargs="?",
        const=True,
        help="record the run in MLflow: in this store (default: MLFLOW_TRACKING_URI, or with --local that of its root)",
    )
    parser.add_argument("--no-wait", action="store_true", help="print the execution's ARN and do not follow it")
    _add_flags_of_following(parser)
    _add_flags_of_identity(parser)
    return parser


def _add_flags_of_following(parser: Parser) -> None:
    parser.add_argument(
        "--follow", metavar="ARN", type=parse_text, help="start nothing; follow and judge this execution"
    )
    parser.add_argument(
        "--timeout",
        metavar="MINUTES",
        type=parse_minutes,
        help="follow for so long; the execution then goes on, exit code 1",
    )
    parser.add_argument(
        "--stop-on-interrupt", action="store_true", help="Ctrl-C stops the execution in AWS too, not just the following"
    )
    parser.add_argument(
        "--no-regression",
        metavar="DELTA",
        type=parse_difference,
        help="reject a model whose ROC AUC is below the approved champion's by more than this",
    )


def _add_flags_of_identity(parser: Parser) -> None:
    parser.add_argument(
        "--commit",
        metavar="SHA|HEAD",
        type=parse_text,
        help="the commit of this run, which starts once and is attached to from then on (default in AWS: CI's)",
    )
    parser.add_argument(
        "--run-key", metavar="TEXT", type=parse_text, help="makes another run of a commit that had one already"
    )


def _parse_parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not '{text}'")
    return name, value


def role(options: argparse.Namespace) -> str:
    """Return the ARN of the role that the pipeline runs with."""
    arn = role_of(options)
    if arn is None:
        raise UsageError(
            "--role-arn is needed in AWS: the ARN of the role that the pipeline and its jobs run with; "
            "to run on this machine, give --local"
        )
    return arn


def tracking(options: argparse.Namespace) -> Tracking:
    """Return where the run is to be recorded."""
    from pipelines.delivery.tracking.places import choose_tracking  # noqa: PLC0415 - few want one

    root = options.local_root or Path(DEFAULT_ROOT)
    given = None if options.track is True else options.track
    return choose_tracking(given, os.environ, root if options.local else None)


def check_flags(options: argparse.Namespace) -> None:
    """Refuse flags that make no sense together, and values that nothing can be done with."""
    if mistake := next((text for text, is_made in _mistakes(options).items() if is_made), None):
        raise UsageError(mistake)
    if options.json:
        check_target(options.json, "--json")
    if options.report:
        check_folder(options.report, "--report")
    if options.track:
        tracking(options)
    if options.input_data:
        check_input_data(options.input_data)
    if options.commit or options.run_key:
        _check_commit(options)
    if options.follow:
        _check_follow(options.follow)
    else:
        role(options)


def _check_commit(options: argparse.Namespace) -> None:
    from pipelines.delivery.commit import check_commit, ci_commit  # noqa: PLC0415 - few name one

    if options.commit:
        check_commit(options.commit)
    elif options.local or not ci_commit(os.environ):
        raise UsageError("--run-key is for a run of a commit: give --commit too")


def _check_follow(arn: str) -> None:
    from pipelines.delivery.followed import check_arn  # noqa: PLC0415 - few follow

    check_arn(arn)


def _mistakes(options: argparse.Namespace) -> dict[str, object]:
    names = [name for name, _ in options.parameters]
    given_twice = next((name for name in names if names.count(name) > 1), None)
    started = next((f"--{name.replace('_', '-')}" for name in _FLAGS_OF_A_START if getattr(options, name)), None)
    return {
        command_line.ROOT_WITHOUT_LOCAL: options.local_root and not options.local,
        f"--follow starts nothing: leave out {started}": options.follow and started,
        "--timeout: a local run ends with this command; leave out --timeout or --local": options.timeout
        and options.local,
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
        "--no-wait knows no outcome: leave out --no-wait or --track": options.no_wait and options.track,
        f"--parameter {given_twice} is given twice: give it once": given_twice,
        f"--input-data sets the parameter {PARAMETER}: give one of the two": options.input_data and PARAMETER in names,
    }
