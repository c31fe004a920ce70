"""What to run in place of a container, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

OPT_ML = "/opt/ml"


@dataclass(frozen=True)
class Container:
    """One process to run as a container: `tree` is what it sees as /opt/ml, `log` gets all that it prints.

    It gets `environment` and nothing of this process's environment. After `time_limit` seconds it is ended. `cpus`
    is how many CPUs it may use (all, if None). `working_folder` is a path as the container sees it. `library` is one
    that it is known to use.
    """

    entrypoint: tuple[str, ...]
    tree: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    cpus: int | None = None
    working_folder: str | None = None
    library: str | None = None


@dataclass(frozen=True)
class Exit:
    """How a container ended: `code` is its exit status, or minus the signal that killed it.

    `seconds` is how long it ran. `hint`, if any, is a sentence about why it may have failed on this machine.
    """

    code: int
    ended: Literal["exited", "stopped", "timed out"]
    seconds: float
    hint: str | None = None
