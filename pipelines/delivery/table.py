"""The live table of a run on an interactive terminal."""

from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from pipelines.delivery.definition import Definition
from pipelines.delivery.snapshot import Execution, Step
from pipelines.delivery.wording import duration, one_line, result, state

# Symbol, its stand-in where the terminal knows only ASCII, and colour; the word beside it says the same.
_STYLES = {
    "waiting": ("·", ".", "dim"),
    "starting": ("▷", ">", "cyan"),
    "running": ("▶", ">", "cyan"),
    "cached": ("↺", "=", "green"),
    "succeeded": ("✔", "+", "green"),
    "rejected": ("✘", "x", "yellow"),
    "failed": ("✘", "x", "bold red"),
    "stopping": ("■", "!", "yellow"),
    "stopped": ("■", "!", "yellow"),
    "not run": ("–", "-", "dim"),
}
_REFRESHES_PER_SECOND = 4
_WIDEST_NAME = 30


class Table:
    """Every step of the definition with its state, time and result; drawn again while the run goes on."""

    def __init__(self, definition: Definition, pipeline: str, console: Console | None = None) -> None:
        self._names = list(definition.steps)
        self._pipeline = pipeline
        self._execution: Execution | None = None
        self._console = console or Console()
        self._live = Live(get_renderable=self.render, console=self._console, refresh_per_second=_REFRESHES_PER_SECOND)

    def show(self, execution: Execution) -> None:
        """Take the execution as it is now; the next drawing shows it."""
        self._execution = execution
        if not self._live.is_started:
            self._live.start(refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the table."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Draw a last time and leave the table on the screen."""
        if self._live.is_started:
            self._live.stop()

    def render(self) -> RenderableType:
        """Draw the table as of now."""
        grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        # A long result must not squeeze the names.
        longest = max((len(name) for name, _ in self._rows()), default=0)
        grid.add_column("Step", overflow="fold", min_width=min(longest, _WIDEST_NAME))
        grid.add_column("State", no_wrap=True)
        grid.add_column("Time", justify="right", no_wrap=True)
        grid.add_column("Result")
        for name, step in self._rows():
            word = self._word(step)
            symbol, plain, style = _STYLES.get(word, ("?", "?", ""))
            mark = plain if self._console.options.ascii_only else symbol
            text = one_line(result(step)) if step else ""
            grid.add_row(
                Text(name),
                Text(f"{mark} {word}", style=style),
                _time(step),
                Text(text, overflow="ellipsis", no_wrap=True),
            )
        return Group(Text(self._title(), style="bold"), grid)

    def _rows(self) -> list[tuple[str, Step | None]]:
        listed = {step.name: step for step in self._execution.steps} if self._execution else {}
        return [(name, listed.get(name)) for name in dict.fromkeys((*self._names, *listed))]

    def _word(self, step: Step | None) -> str:
        if step:
            return state(step)
        return "not run" if self._execution and self._execution.has_ended else "waiting"

    def _title(self) -> str:
        if self._execution is None:
            return self._pipeline
        return f"{self._pipeline}  {self._execution.status}  {_total(self._execution)}".rstrip()


def _time(step: Step | None) -> str:
    if step is None or step.cache_source:
        return ""
    return duration(_since(step.started) if step.seconds is None and not step.has_ended else step.seconds)


def _total(execution: Execution) -> str:
    return duration(_since(execution.started) if execution.seconds is None else execution.seconds)


def _since(moment: datetime | None) -> float | None:
    return (datetime.now(UTC) - moment).total_seconds() if moment else None
