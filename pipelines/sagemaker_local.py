"""sagemaker-local: open the SageMaker of this machine to AWS clients in other processes, and to a browser."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

from pipelines import command_line
from pipelines.command_line import DEFAULT_ROOT, Parser, parse_path
from pipelines.delivery.interrupt import interrupts

DEFAULT_PORT = 8642
UI_PORT = 8643
EXPERIMENTS_PORT = 8644
LAST_PORT = 65535
LOOK_AGAIN_SECONDS = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(_parser(), _run, argv)


def _parser() -> Parser:
    parser = Parser("sagemaker-local", "SageMaker on this machine, for AWS clients and browsers.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = _add(commands, "serve", "answer SageMaker, S3, STS and IAM on a port of this machine, until Ctrl-C")
    _add_port(serve, DEFAULT_PORT)
    serve.set_defaults(work=_serve)
    ui = _add(commands, "ui", "show pipelines, models and endpoints in a browser on this machine, until Ctrl-C")
    _add_port(ui, UI_PORT)
    ui.set_defaults(work=_show_ui, local=True)
    experiments = _add(
        commands, "experiments", "show what run-pipeline --track recorded, in MLflow's own page, until Ctrl-C"
    )
    _add_port(experiments, EXPERIMENTS_PORT)
    experiments.set_defaults(work=_show_experiments)
    return parser


def _add(commands: argparse._SubParsersAction[Parser], name: str, text: str) -> Parser:
    added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    added.add_argument(
        "--local-root",
        metavar="DIR",
        type=parse_path,
        default=Path(DEFAULT_ROOT),
        help=f"where the local SageMaker keeps its state (default {DEFAULT_ROOT})",
    )
    return added


def _add_port(parser: Parser, default: int) -> None:
    parser.add_argument(
        "--port",
        metavar="N",
        type=_parse_port,
        default=default,
        help=f"the port of 127.0.0.1 (default {default}); 0 takes a free one",
    )


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
        _wait(interrupted)
    return 0


def _show_ui(options: argparse.Namespace) -> int:
    with interrupts() as interrupted, command_line.open_site(options) as site:
        # Not at the top: the other commands do without a web framework.
        from pipelines.ui.server import Server  # noqa: PLC0415

        # A state that cannot be used is told here, and the first page has nothing to wait for.
        site.client.list_pipelines(MaxResults=1)
        with closing(Server(site, port=options.port)) as server:
            _announce(server.url)
            _wait(interrupted)
    return 0


def _show_experiments(options: argparse.Namespace) -> int:
    with interrupts() as interrupted:
        # As above.
        from pipelines.ui.experiments import experiments_app  # noqa: PLC0415
        from pipelines.ui.server import AppServer  # noqa: PLC0415

        with closing(AppServer(experiments_app(options.local_root), port=options.port)) as server:
            _announce(server.url)
            _wait(interrupted)
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def _wait(interrupted: Event) -> None:
    # Not one long wait: a signal that comes just before it begins is handled only after it.
    while not interrupted.wait(LOOK_AGAIN_SECONDS):
        pass


if __name__ == "__main__":
    sys.exit(main())
