"""What a person sees while a run goes on: a live table on a terminal, else one line for every change."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol, TextIO

from pipelines.delivery.definition import Definition
from pipelines.delivery.snapshot import Execution, Step
from pipelines.delivery.wording import duration, one_line, result, shortened, state

# The whole of it is in the summary.
_LONGEST_RESULT = 100


class Progress(Protocol):
    """Shows a run while it goes on."""

    def show(self, execution: Execution) -> None:
        """Show the execution as it is now."""

    def say(self, text: str) -> None:
        """Tell something that is no step's news."""

    def close(self) -> None:
        """Leave the terminal as it should be after the run."""


class Lines:
    """One line for every change of a step's state, and for every trial that ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told: dict[str, str] = {}

    def show(self, execution: Execution) -> None:
        """Print what changed since the last time."""
        for step in execution.steps:
            change = _news(step)
            if self._told.get(step.name) != change:
                self._told[step.name] = change
                self.say(f"{_elapsed(execution, step):>9}  {step.name}: {_sentence(step)}")

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._out, flush=True)

    def close(self) -> None:
        """Do nothing: lines need no end."""


def make_progress(
    definition: Definition, pipeline: str, out: TextIO, environment: Mapping[str, str] = os.environ
) -> Progress:
    """Choose the table for an interactive terminal and lines for everything else."""
    if not is_interactive(out, environment):
        return Lines(out)
    # rich takes a tenth of a second to import, a fifth of a run whose steps are all cached.
    from pipelines.delivery.table import Table  # noqa: PLC0415

    return Table(definition, pipeline)


def is_interactive(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a person watches a terminal that can redraw."""
    return out.isatty() and environment.get("TERM", "dumb") != "dumb" and not environment.get("CI")


def _news(step: Step) -> str:
    done = step.trials.completed + step.trials.failed if step.trials else 0
    return f"{state(step)} {done}"


def _sentence(step: Step) -> str:
    took = f"in {duration(step.seconds)}" if step.seconds is not None and not step.cache_source else ""
    said = shortened(one_line(result(step)), _LONGEST_RESULT)
    return ", ".join(part for part in (f"{state(step)} {took}".strip(), said) if part)


def _elapsed(execution: Execution, step: Step) -> str:
    now = (step.ended if step.has_ended else None) or datetime.now(UTC)
    return duration((now - execution.started).total_seconds()) if execution.started else ""
