"""The logs of an endpoint: where they are, and how long they may become."""

import logging
import threading
from pathlib import Path

logger = logging.getLogger(__name__)

MOST_BYTES, KEPT_BYTES = 64 << 20, 16 << 20
LOOK_SECONDS = 1.0


def log_of(root: Path, name: str) -> Path:
    """Return where the process of an endpoint writes what happens; the logs of its variants are beside it."""
    return root / "logs" / "aws" / "sagemaker" / "Endpoints" / name / "endpoint.log"


def keep_short(folder: Path, stop: threading.Event) -> None:
    """Cut the logs of a folder again and again, until it is told to stop."""
    while not stop.wait(LOOK_SECONDS):
        for log in folder.glob("*.log"):
            try:
                cut(log)
            except OSError as error:
                logger.warning("%s cannot be cut: %s", log.name, error)


def cut(log: Path) -> None:
    """Leave the newest part of a log that has become too long, from the beginning of a line on.

    Those who append to it go on; a line that comes at this very moment may be lost.
    """
    if log.stat().st_size <= MOST_BYTES:
        return
    with log.open("r+b") as stream:
        stream.seek(-KEPT_BYTES, 2)
        kept = stream.read(KEPT_BYTES)
        kept = kept[kept.find(b"\n") + 1 :]
        stream.seek(0)
        stream.write(kept)
        stream.truncate()
