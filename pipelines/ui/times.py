"""How moments are written on a page, in the time zone of this machine."""

from datetime import UTC, datetime

from pipelines.delivery.wording import age

_JUST_NOW = 5.0


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
