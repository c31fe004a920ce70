"""What the commands share: flags, the SageMaker that they talk to, and errors on one line."""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import json
import math
import os
import re
import shlex
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.interrupt import INTERRUPTED, listen

if TYPE_CHECKING:
    from pipelines.delivery.run import Site
    from pipelines.local.boto_session import LocalSession

DEFAULT_MODULE = "pipelines.fraud.pipeline"
DEFAULT_ROOT = ".sagemaker-local"
ROOT_WITHOUT_LOCAL = "--local-root is for --local: give both or none"
LOCAL_ROLE = "arn:aws:iam::000000000000:role/sagemaker-local"
LOCAL_INTERVAL, AWS_INTERVAL = 0.1, 15.0
AWS_ATTEMPTS = 8
_GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", re.ASCII)
# More than a cached run makes, so that it never collects.
COLLECTED_OBJECTS = 200_000


class Parser(argparse.ArgumentParser):
    """A parser whose errors are raised, so that they are shown as all others are."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self.add_argument("--verbose", action="store_true", help="show the traceback of an error")

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError."""
        if message.endswith("expected one argument"):
            message += ": give one that begins with a dash as --option=-value"
        raise UsageError(f"{message} (see {self.prog} --help)")


def add_module_flags(parser: Parser) -> None:
    """Add the flags that say which pipeline is compiled, and with what."""
    parser.add_argument(
        "-n",
        "--module-name",
        metavar="MODULE",
        type=parse_text,
        help=f"the module whose get_pipeline() makes the pipeline (default {DEFAULT_MODULE})",
    )
    parser.add_argument("--kwargs", metavar="JSON", type=parse_kwargs, help="arguments of get_pipeline: a JSON object")
    parser.add_argument(
        "--role-arn", metavar="ARN", type=parse_text, help="the role that the pipeline and its jobs run with"
    )
    parser.add_argument(
        "--input-data",
        metavar="DIR|S3-URI",
        type=parse_text,
        help="input data: a folder, which is uploaded, or an S3 URI",
    )


def add_local_flags(parser: Parser) -> None:
    """Add the flags that choose between AWS and the SageMaker on this machine."""
    parser.add_argument("--local", action="store_true", help="run on this machine, without an AWS account")
    parser.add_argument(
        "--local-root",
        metavar="DIR",
        type=parse_path,
        help=f"where the local SageMaker keeps its state (default {DEFAULT_ROOT})",
    )


def add_group_flags(parser: Parser) -> None:
    """Add the flags that say which model package group is meant."""
    parser.add_argument("--group", metavar="NAME", type=_parse_group, help="the model package group")
    parser.add_argument(
        "-n",
        "--module-name",
        metavar="MODULE",
        type=parse_text,
        help=f"the pipeline whose settings name the group (default {DEFAULT_MODULE})",
    )


def parse_minutes(text: str) -> float:
    """Read a time in minutes."""
    minutes = parse_number(text)
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of minutes above 0, not '{text}'")
    return minutes


def parse_difference(text: str) -> float:
    """Read a difference of ROC AUC."""
    difference = parse_number(text)
    if not 0 <= difference <= 1:
        raise argparse.ArgumentTypeError(f"expected a difference of ROC AUC from 0 to 1, not '{text}'")
    return difference


def parse_number(text: str) -> float:
    """Read a number; what is none is NaN, which no bounds hold."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_text(text: str) -> str:
    """Read a value that may not be empty, as that of an unset variable is."""
    if not text:
        raise argparse.ArgumentTypeError("the value is empty: give one, or leave the option out")
    return text


def parse_path(text: str) -> Path:
    """Read a path; pathlib itself takes an empty one for the current folder."""
    return Path(parse_text(text))


def parse_kwargs(text: str) -> dict[str, Any]:
    """Read `--kwargs`."""
    value = _json(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'expected a JSON object such as {{"region": "us-east-1"}}, not {text}')
    return value


def parse_tags(text: str) -> tuple[dict[str, str], ...]:
    """Read `--tags`."""
    value = _json(text)
    if not isinstance(value, list) or not all(_is_tag(entry) for entry in value):
        raise argparse.ArgumentTypeError(
            f'expected a JSON list such as [{{"Key": "team", "Value": "fraud"}}], not {text}'
        )
    return tuple(value)


def open_site(
    options: argparse.Namespace, *, runs_jobs: bool = False, find_region: Callable[[], str | None] = lambda: None
) -> AbstractContextManager[Site]:
    """Open the SageMaker that the flags choose; one that is to run jobs here prepares for them.

    `find_region` is asked where boto3 finds no region.
    """
    if options.local_root and not options.local:
        raise UsageError(ROOT_WITHOUT_LOCAL)
    root = options.local_root or Path(DEFAULT_ROOT)
    if options.local:
        return _local_site(root, warm_up=runs_jobs)
    return _aws_site(find_region, stops_on_interrupt=getattr(options, "stop_on_interrupt", False))


def execute(parser: Parser, work: Callable[[argparse.Namespace], int], arguments: Sequence[str] | None) -> int:
    """Parse, work, and turn whatever goes wrong into one line and an exit code."""
    if arguments is None:
        listen()
        _collect_rarely()
    _accept_any_text()
    verbose = "--verbose" in (sys.argv[1:] if arguments is None else arguments)
    try:
        _check_output()
        return work(parser.parse_args(arguments))
    except KeyboardInterrupt:
        _complain(parser.prog, "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the output any more; Python must not try to flush it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if verbose:
            traceback.print_exc()
        _complain(parser.prog, _describe(error))
        return error.exit_code if isinstance(error, DeliveryError) else 1


def typed_name(command: str) -> str:
    """Return what a person types here to call a command."""
    if shutil.which(command):
        return command
    # The commands are installed side by side.
    script = Path(sys.argv[0] or "-").with_name(command)
    if script.is_file():
        return shlex.quote(os.path.relpath(script))
    return f"python -m pipelines.{command.replace('-', '_')}"


@contextmanager
def local_session(root: Path, *, warm_up: bool = False) -> Iterator[LocalSession]:
    """Open the SageMaker of this machine; what is wrong with its state is said in one line."""
    # The only door to the local SageMaker; whoever runs in AWS does not pay for its import.
    import sqlite3  # noqa: PLC0415

    from pipelines.local.errors import LocalError  # noqa: PLC0415
    from pipelines.local.session import session as open_session  # noqa: PLC0415

    try:
        with closing(open_session(root, warm_up=warm_up)) as session:
            yield session
    except LocalError as error:
        advice = f"; {_repair(error.__cause__)}" if isinstance(error.__cause__, sqlite3.Error) else ""
        option = " with --local-root DIR" if str(error).endswith("choose another root folder") else ""
        raise DeliveryError(f"{error}{option}{advice}") from error
    except sqlite3.Error as error:
        raise DeliveryError(f"the state in {root} cannot be used: {error}; {_repair(error)}") from error


def _repair(error: Exception) -> str:
    """Say what to do about an error of SQLite."""
    if "locked" in str(error):
        return "wait until the other process that uses it has ended, or give another --local-root"
    if "full" in str(error):
        return "make room on the disk and run the same command again"
    return "move the folder away, or give another --local-root"


@contextmanager
def _local_site(root: Path, *, warm_up: bool) -> Iterator[Site]:
    with local_session(root, warm_up=warm_up) as session:

        def explain(arn: str) -> dict[str, str]:
            # The session puts its SageMaker together when it is first asked, which a compile never does.
            return session.sagemaker.cache_reasons(arn)

        def endpoint_url(name: str) -> str:
            return str(session.sagemaker.endpoint_url(name))

        # After the session, which prepares for jobs in the background.
        from pipelines.delivery.places import Places  # noqa: PLC0415
        from pipelines.delivery.run import Site  # noqa: PLC0415

        yield Site(
            session,
            LOCAL_INTERVAL,
            stops_on_interrupt=True,
            places=Places(root),
            explain=explain,
            endpoint_url=endpoint_url,
        )


@contextmanager
def _aws_site(find_region: Callable[[], str | None], *, stops_on_interrupt: bool) -> Iterator[Site]:
    # Imported after the flags are parsed, so that a mistake in them and --help answer at once.
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import NoRegionError  # noqa: PLC0415

    from pipelines.delivery.aws_errors import explain  # noqa: PLC0415
    from pipelines.delivery.run import Site  # noqa: PLC0415

    core = botocore.session.get_session()
    core.set_default_client_config(Config(retries={"mode": "adaptive", "total_max_attempts": AWS_ATTEMPTS}))
    if core.get_config_variable("region") is None:
        core.set_config_variable("region", find_region())
    try:
        yield Site(boto3.Session(botocore_session=core), AWS_INTERVAL, stops_on_interrupt=stops_on_interrupt)
    except NoRegionError as error:
        raise UsageError(str(explain(error))) from error


def _accept_any_text() -> None:
    """Write what the terminal's encoding has no letters for as escapes: a run must not fail for its last line."""
    if sys.stderr is None:
        # Closed by whoever called; an error is still told by the exit code.
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_output() -> None:
    # Files that are opened now would get its number, and what is printed.
    if sys.stdout is None:
        raise UsageError("standard output is closed: send it to a file, or to /dev/null")


def _collect_rarely() -> None:
    """Save the garbage collector's work on what is loaded at the start and kept to the end: a third of a cached run."""
    gc.set_threshold(COLLECTED_OBJECTS)
    atexit.register(gc.freeze)


def _parse_group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no model package group: expected at most 63 letters, digits and hyphens"
        )
    return text


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error


def _is_tag(entry: object) -> bool:
    return (
        isinstance(entry, dict) and set(entry) == {"Key", "Value"} and all(isinstance(v, str) for v in entry.values())
    )


def _describe(error: Exception) -> str:
    if isinstance(error, DeliveryError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    # Whoever raised an error of botocore has it imported by now.
    from pipelines.delivery.aws_errors import explain  # noqa: PLC0415

    return explain(error) or f"unexpected {type(error).__name__}: {error}. Next: run again with --verbose"


def _complain(prog: str, message: str) -> None:
    sys.stderr.write(f"{prog}: error: {' '.join(message.split())}\n")
