"""run-pipeline: compile a pipeline, run it, follow it, and end with the gate's verdict."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.parameters import check_parameters
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.tags import complete_tags
from pipelines.delivery.wording import one_line
from pipelines.input_data import PARAMETER, prefix_of, send_input_data
from pipelines.pipeline_module import Compiled, compile_module, region_of
from pipelines.run_flags import check_flags, make_parser, role, tracking

if TYPE_CHECKING:
    from pipelines.delivery.commit import Commit
    from pipelines.delivery.identity import Identity
    from pipelines.delivery.run import Result, Site

Say = Callable[[str], None]
Start = Callable[[Say], str]

APPROVAL = "ModelApprovalStatus"
COMMIT_PARAMETER = "CommitId"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def _run(options: argparse.Namespace) -> int:
    check_flags(options)
    commit = _named_commit(options)
    if options.follow:
        return _follow(options)
    # A mistake in a file is found before anything is opened.
    prepared = _prepare(options, _read_definition(options)) if options.definition else None
    with command_line.open_site(options, runs_jobs=True, find_region=lambda: region_of(options)) as site:
        order, run, prefix = prepared or _prepare(options, compile_module(options, site.session))
        if options.input_data:
            uri = send_input_data(options.input_data, site.session, options.kwargs or {}, prefix)
            run = replace(run, parameters={**run.parameters, PARAMETER: uri})
        order, run, identity = _identify(options, order, run, commit)
        if options.no_wait:
            return _launch(site, order, run, identity)
        return _launch_and_follow(options, site, order, run, identity)


def _prepare(options: argparse.Namespace, compiled: Compiled) -> tuple[PipelineOrder, Run, object]:
    """Return the pipeline, its run with the input data as it was given, and the key prefix that uploads of it have."""
    order = PipelineOrder(
        name=compiled.name,
        definition=compiled.definition,
        role_arn=role(options),
        description=options.description,
        tags=complete_tags(options.tags),
        bucket=(options.kwargs or {}).get("default_bucket"),
    )
    input_data = {PARAMETER: options.input_data} if options.input_data else {}
    definition = parse_definition(compiled.definition, str(options.definition or compiled.name))
    run = Run(definition, {**dict(options.parameters), **input_data})
    check_parameters(run)
    if options.no_regression is not None and run.values.get(APPROVAL) == "Approved":
        raise UsageError(
            f"--no-regression: a model that is registered as Approved may be deployed before it is compared; "
            f"leave out --no-regression or {APPROVAL}=Approved"
        )
    declared = definition.parameters.get(PARAMETER)
    return order, run, compiled.prefix or prefix_of(declared and declared.default)


def _named_commit(options: argparse.Namespace) -> Commit | None:
    """Return the commit that the flags name: whether it is there must be known before anything is sent."""
    if not options.commit:
        return None
    from pipelines.delivery.commit import find_commit  # noqa: PLC0415 - as below

    return find_commit(options.commit, Path.cwd())


def _identify(
    options: argparse.Namespace, order: PipelineOrder, run: Run, commit: Commit | None
) -> tuple[PipelineOrder, Run, Identity | None]:
    """Tell the run its commit; in AWS, and where one is given, the commit has this run once."""
    # Git is asked only where somebody wants to know.
    if options.local and not commit and COMMIT_PARAMETER not in run.definition.parameters:
        return order, run, None
    from pipelines.delivery.commit import find_commit, with_commit  # noqa: PLC0415

    commit = commit or find_commit(None, Path.cwd())
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
    try:
        parse_definition(text, str(path))
    except DeliveryError as error:
        raise UsageError(f"--definition {error}") from error
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
    from pipelines.delivery.followed import check_owner, read_run  # noqa: PLC0415 - few follow

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
        _track(options, site, result)
    return result.verdict.exit_code


def _report(options: argparse.Namespace, result: Result) -> None:
    from pipelines.delivery.outcome import make_outcome, write_outcome  # noqa: PLC0415 - as in _launch
    from pipelines.delivery.summary import summarize  # noqa: PLC0415

    if options.json:
        write_outcome(make_outcome(result), options.json)
    again = _no_command if options.follow else _again
    sys.stdout.writelines(f"{line}\n" for line in summarize(result, again, lambda arn: _decide(options, arn)))


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


def _track(options: argparse.Namespace, site: Site, result: Result) -> None:
    """Record the run; as with the report, where that fails, the verdict stands."""
    if not options.track:
        return
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in _launch

    from pipelines.delivery.tracking.executions import track_result  # noqa: PLC0415 - few want one

    try:
        run = track_result(site, result, tracking(options))
    except (BotoCoreError, ClientError, DeliveryError, OSError) as error:
        reason = one_line(str(error))
        sys.stderr.write(f"run-pipeline: the run is not recorded: {reason}. Next: {_record(options, result)}\n")
        return
    sys.stdout.write(f"recorded: run {run} of the experiment {result.execution.pipeline}\n")


def _no_command(parameter: str, value: str) -> None:
    """Give none: who follows a run need not have what it was started with."""


def _decide(options: argparse.Namespace, arn: str) -> str:
    """Give the command that shows a model package, with what it needs to find it where the run was."""
    group, version = arn.split("/")[-2:]
    # Either may name another group than the settings do.
    names_group = options.follow or options.definition or options.kwargs
    which = ["--group", group] if names_group else ["-n", options.module_name] if options.module_name else []
    return shlex.join([*shlex.split(command_line.typed_name("approve-model")), version, *which, *_where(options)])


def _record(options: argparse.Namespace, result: Result) -> str:
    """Give the command that records a run which has ended; a password in the store's URI is left to who knows it."""
    from pipelines.delivery.tracking.places import without_userinfo  # noqa: PLC0415 - as in _track

    store = [] if options.track is True else [without_userinfo(options.track)]
    follow = [*_where(options), "--follow", result.execution.arn, "--track", *store]
    return f"{command_line.typed_name('run-pipeline')} {shlex.join(follow)}"


def _where(options: argparse.Namespace) -> list[str]:
    """Give the flags that lead to where the run was."""
    root = ["--local-root", str(options.local_root)] if options.local_root else []
    return ["--local", *root] if options.local else []


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
