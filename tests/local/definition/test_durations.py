"""Durations are read as the service's documents write them."""

import pytest

from pipelines.local.definition.durations import duration_seconds

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P7D", 7 * DAY),
        ("PT1H", HOUR),
        ("p30d", 30 * DAY),
        ("30d", 30 * DAY),
        ("T12H", 12 * HOUR),
        ("T16m", 16 * MINUTE),
        ("30dT5h", 30 * DAY + 5 * HOUR),
        ("P4DT12H", 4 * DAY + 12 * HOUR),
        ("5y", 5 * 365 * DAY),
        ("P30M", 30 * 30 * DAY),
        ("PT30M", 30 * MINUTE),
        ("P2W", 14 * DAY),
        ("P1Y2M3DT4H5M", (365 + 60 + 3) * DAY + 4 * HOUR + 5 * MINUTE),
        ("P0D", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "T", "PT", "30", "P1H", "PT1D", "PT5S", "P-1D", "P1.5D", "P1DT", "1 d", "D1", "P١D"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration_seconds(text) is None
