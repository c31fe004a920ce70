"""Manners for the SageMaker SDK: it neither reports home, nor chatters, nor takes over the program's logging."""

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# JSON, which is YAML too: the SDK reads its configuration from such a file.
NO_TELEMETRY_FILE = Path(__file__).with_name("no_telemetry.json")
USER_CONFIG = "SAGEMAKER_USER_CONFIG_OVERRIDE"


def no_telemetry() -> Any:
    """Return a configuration of the SDK that turns its telemetry off."""
    return json.loads(NO_TELEMETRY_FILE.read_text(encoding="utf-8"))


@contextmanager
def own_logging() -> Iterator[None]:
    """Undo that the SDK's import sets up the root logger, which belongs to the program."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@contextmanager
def quiet_sdk(*, verbose: bool = False) -> Iterator[None]:
    """Let any module use the SDK: without telemetry, unless the user has a configuration, and with errors only."""
    before = os.environ.get(USER_CONFIG)
    if before is None and not _default_config().exists():
        os.environ[USER_CONFIG] = str(NO_TELEMETRY_FILE)
    try:
        if verbose:
            yield
        else:
            with own_logging(), _errors_only(logging.getLogger("sagemaker")), warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"sagemaker\.")
                yield
    finally:
        if before is None:
            os.environ.pop(USER_CONFIG, None)


@contextmanager
def _errors_only(logger: logging.Logger) -> Iterator[None]:
    # A level of its own would not do: the loggers below it have theirs.
    handler, propagate = logging.StreamHandler(sys.stderr), logger.propagate
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _default_config() -> Path:
    # The SDK's own way to it; whoever compiles nothing does not need it.
    from platformdirs import user_config_dir  # noqa: PLC0415

    return Path(user_config_dir("sagemaker"), "config.yaml")
