"""run-pipeline: compile a pipeline, run it, follow it, and end with the gate's verdict."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import Parser, parse_tags
from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_target
from pipelines.delivery.parameters import check_parameters
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.input_data import PARAMETER, check_input_data, send_input_data
from pipelines.pipeline_module import Compiled, compile_module, role_of

if TYPE_CHECKING:
    from pipelines.delivery.run import Result, Site


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
    parser.add_argument("--no-wait", action="store_true", help="print the execution's ARN and do not follow it")
    return parser


def _parse_parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not '{text}'")
    return name, value


def _run(options: argparse.Namespace) -> int:
    _check(options)
    # A mistake in a file is found before anything is opened.
    prepared = _prepare(options, _read_definition(options)) if options.definition else None
    with command_line.open_site(options, runs_jobs=True) as site:
        order, run = prepared or _prepare(options, compile_module(options, site.session))
        run = _send_input_data(options, run, site)
        return _launch(site, order, run) if options.no_wait else _launch_and_follow(options, site, order, run)


def _check(options: argparse.Namespace) -> None:
    names = [name for name, _ in options.parameters]
    given_twice = next((name for name in names if names.count(name) > 1), None)
    mistakes = {
        "--definition runs without a module: leave out --module-name and --kwargs": options.definition
        and (options.module_name or options.kwargs is not None),
        "--pipeline-name is for --definition; a module's pipeline has its name from --kwargs": options.pipeline_name
        and not options.definition,
        "--no-wait: a local run ends with this command; leave out --no-wait or --local": options.no_wait
        and options.local,
        "--no-wait knows no outcome: leave out --no-wait or --json": options.no_wait and options.json,
        f"--parameter {given_twice} is given twice: give it once": given_twice,
        f"--input-data sets the parameter {PARAMETER}: give one of the two": options.input_data and PARAMETER in names,
    }
    if mistake := next((text for text, is_made in mistakes.items() if is_made), None):
        raise UsageError(mistake)
    if options.json:
        check_target(options.json, "--json")
    if options.input_data:
        check_input_data(options.input_data)
    _role(options)


def _prepare(options: argparse.Namespace, compiled: Compiled) -> tuple[PipelineOrder, Run]:
    order = PipelineOrder(
        name=compiled.name,
        definition=compiled.definition,
        role_arn=_role(options),
        description=options.description,
        tags=options.tags,
    )
    input_data = {PARAMETER: compiled.input_data or options.input_data} if options.input_data else {}
    definition = parse_definition(compiled.definition, str(options.definition or compiled.name))
    run = Run(definition, {**dict(options.parameters), **input_data})
    check_parameters(run)
    return order, run


def _send_input_data(options: argparse.Namespace, run: Run, site: Site) -> Run:
    value = run.parameters.get(PARAMETER) if options.input_data else None
    if value is None:
        return run
    uri = send_input_data(value, site.session, options.kwargs or {})
    return replace(run, parameters={**run.parameters, PARAMETER: uri})


def _role(options: argparse.Namespace) -> str:
    role = role_of(options)
    if role is None:
        raise UsageError("--role-arn is needed in AWS: the ARN of the role that the pipeline and its jobs run with")
    return role


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


def _launch(site: Site, order: PipelineOrder, run: Run) -> int:
    # This brings botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.delivery.run import launch  # noqa: PLC0415

    sys.stdout.write(f"{launch(site, order, run).arn}\n")
    return 0


def _launch_and_follow(options: argparse.Namespace, site: Site, order: PipelineOrder, run: Run) -> int:
    # As in _launch.
    from pipelines.delivery.interrupt import interrupts  # noqa: PLC0415
    from pipelines.delivery.progress import make_progress  # noqa: PLC0415
    from pipelines.delivery.run import complete, launch  # noqa: PLC0415

    progress = make_progress(run.definition, order.name, sys.stdout)
    with interrupts() as interrupt:
        if options.json:
            # Else a reader could take an earlier run's outcome for that of a run that was killed.
            options.json.unlink(missing_ok=True)
        launched = launch(site, order, run)
        progress.say(f"pipeline {order.name} {launched.change}; execution {launched.arn}")
        result = complete(site, launched.arn, run, progress, interrupt)
        _report(options, result)
    return result.verdict.exit_code


def _report(options: argparse.Namespace, result: Result) -> None:
    from pipelines.delivery.outcome import make_outcome, write_outcome  # noqa: PLC0415 - as in _launch
    from pipelines.delivery.summary import summarize  # noqa: PLC0415

    if options.json:
        write_outcome(make_outcome(result), options.json)
    sys.stdout.writelines(f"{line}\n" for line in summarize(result, _again))


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
