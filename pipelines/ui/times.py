"""How moments are written on a page, in the time zone of this machine."""

from datetime import UTC, datetime
from typing import Protocol

from pipelines.delivery.wording import age, duration

_JUST_NOW = 5.0
_SHORT = 0.1


class Timed(Protocol):
    """What takes time; it has not ended as long as it has no seconds."""

    @property
    def started(self) -> datetime | None:
        """When it began."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""


def clock(moment: datetime | None) -> str:
    """Return date and time to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def day(moment: datetime | None) -> str:
    """Return the time of a moment of today, else its date and time to the minute."""
    if moment is None:
        return ""
    local = moment.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M")


def ago(moment: datetime | None) -> str:
    """Return how long ago a moment was."""
    if moment is None:
        return ""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    return "just now" if seconds < _JUST_NOW else f"{age(seconds)} ago"


def took(work: Timed) -> str:
    """Return how long something took, or takes by now."""
    if work.seconds is None:
        return duration((datetime.now(UTC) - work.started).total_seconds()) if work.started else ""
    return span(work.seconds)


def span(seconds: float | None) -> str:
    """Return a time, a very short one in milliseconds."""
    return duration(seconds) if not seconds or seconds >= _SHORT else f"{max(1, round(seconds * 1000))} ms"
