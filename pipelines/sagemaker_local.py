"""sagemaker-local: serve the SageMaker of this machine to AWS clients in other processes."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import command_line
from pipelines.command_line import DEFAULT_ROOT, Parser, parse_path
from pipelines.delivery.interrupt import interrupts

DEFAULT_PORT = 8642
LAST_PORT = 65535
LOOK_AGAIN_SECONDS = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(_parser(), _run, argv)


def _parser() -> Parser:
    parser = Parser("sagemaker-local", "SageMaker on this machine, for AWS clients in other processes.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    text = "answer SageMaker, S3, STS and IAM on a port of this machine, until Ctrl-C"
    serve = commands.add_parser("serve", help=text, description=f"{text[0].upper()}{text[1:]}.")
    serve.add_argument(
        "--port",
        metavar="N",
        type=_parse_port,
        default=DEFAULT_PORT,
        help=f"the port of 127.0.0.1 (default {DEFAULT_PORT}); 0 takes a free one",
    )
    serve.add_argument(
        "--local-root",
        metavar="DIR",
        type=parse_path,
        default=Path(DEFAULT_ROOT),
        help=f"where the local SageMaker keeps its state (default {DEFAULT_ROOT})",
    )
    serve.set_defaults(work=_serve)
    return parser


def _parse_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {LAST_PORT}, not '{text}'")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    code: int = options.work(options)
    return code


def _serve(options: argparse.Namespace) -> int:
    with interrupts() as interrupted, command_line.local_session(options.local_root) as session:
        session.services.serve(options.port)
        variables = session.services.environment()
        assigned = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        sys.stdout.write(f"export {assigned}\n")
        sys.stdout.flush()
        # Not one long wait: a signal that comes just before it begins is handled only after it.
        while not interrupted.wait(LOOK_AGAIN_SECONDS):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
