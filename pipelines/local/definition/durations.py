"""Durations as CacheConfig's `ExpireAfter` writes them: ISO 8601, loosely."""

import re

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNIT_SECONDS = {
    "years": 365 * DAY,
    "months": 30 * DAY,
    "weeks": 7 * DAY,
    "days": DAY,
    "hours": HOUR,
    "minutes": MINUTE,
}

# The service's documents write p30d, 30d and T16m too, so `P` is optional and case does not matter.
_DURATION = re.compile(
    r"P?(?:(?P<years>\d{1,6})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?)?",
    re.IGNORECASE | re.ASCII,
)


def duration_seconds(text: str) -> float | None:
    """Return the seconds of a duration from years to minutes, or None when the text is none.

    A year is 365 days and a month 30; `M` means months before a `T` and minutes after it.
    """
    match = _DURATION.fullmatch(text)
    parts = {unit: int(count) for unit, count in match.groupdict().items() if count} if match else {}
    return sum(UNIT_SECONDS[unit] * count for unit, count in parts.items()) if parts else None
