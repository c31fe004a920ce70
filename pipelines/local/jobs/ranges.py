"""The hyperparameter ranges of a tuning job: which values its trials may take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.local.errors import ValidationError

Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]

# From this ratio of the ends of a range on, its values are searched by magnitude unless the request says how.
LOGARITHMIC_FROM = 100
LIMIT = 30


@dataclass(frozen=True)
class Numbers:
    """A range of numbers, both ends included."""

    name: str
    low: float
    high: float
    whole: bool
    scale: Scale

    def text(self, value: float) -> str:
        """Return a value as a hyperparameter has it."""
        return str(int(value)) if self.whole else repr(float(value))

    def read(self, text: str) -> float | None:
        """Return the value that a text stands for, or None if it is not in the range."""
        try:
            value = float(text)
        except ValueError:
            return None
        return value if self.low <= value <= self.high and not (self.whole and value % 1) else None


@dataclass(frozen=True)
class Words:
    """A range of words."""

    name: str
    words: tuple[str, ...]


Range = Numbers | Words
Space = tuple[Range, ...]


def read_ranges(ranges: Mapping[str, Any], where: str) -> Space:
    """Return the ranges in a request's ParameterRanges; `where` is their place in the request.

    Raises:
        ValidationError: a range is empty, unreadable or cannot be searched, or there are none or too many.
    """
    if ranges.get("AutoParameters"):
        raise ValidationError(
            f"{where}.AutoParameters is not done on this machine: give ranges for {_names(ranges['AutoParameters'])}."
        )
    space: Space = (
        *(_numbers(spec, f"{where}.IntegerParameterRanges") for spec in ranges.get("IntegerParameterRanges", [])),
        *(_numbers(spec, f"{where}.ContinuousParameterRanges") for spec in ranges.get("ContinuousParameterRanges", [])),
        *(_words(spec, f"{where}.CategoricalParameterRanges") for spec in ranges.get("CategoricalParameterRanges", [])),
    )
    if not 1 <= len(space) <= LIMIT:
        raise ValidationError(f"{where} has {len(space)} hyperparameters to tune; there must be 1 to {LIMIT}.")
    names = [one.name for one in space]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"{where} has more than one range for {', '.join(twice)}.")
    return space


def _names(specs: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(spec["Name"] for spec in specs)


def _numbers(spec: Mapping[str, Any], place: str) -> Numbers:
    name, whole = spec["Name"], place.endswith("IntegerParameterRanges")
    where = f"{place}['{name}']"
    low, high = (_number(spec[end], f"{where}.{end}", whole=whole) for end in ("MinValue", "MaxValue"))
    if low >= high:
        raise ValidationError(
            f"{where} has MinValue {low:g} and MaxValue {high:g}; MinValue must be less than MaxValue."
        )
    scale = _scale(spec.get("ScalingType", "Auto"), low, high)
    if scale == "Logarithmic" and low <= 0:
        raise ValidationError(f"{where} has ScalingType Logarithmic, so MinValue must be above 0; it is {low:g}.")
    if scale == "ReverseLogarithmic" and (whole or low < 0 or high >= 1):
        raise ValidationError(
            f"{where} has ScalingType ReverseLogarithmic, which is for continuous ranges within 0 <= x < 1; "
            f"it is {'an integer range' if whole else 'a range'} from {low:g} to {high:g}."
        )
    return Numbers(name, low, high, whole, scale)


def _number(text: str, where: str, *, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValidationError(f"{where} is '{text}'; it must be {'a whole number' if whole else 'a number'}.")
    return value


def _scale(asked: str, low: float, high: float) -> Scale:
    if asked == "Logarithmic" or (asked == "Auto" and low > 0 and high / low >= LOGARITHMIC_FROM):
        return "Logarithmic"
    return "ReverseLogarithmic" if asked == "ReverseLogarithmic" else "Linear"


def _words(spec: Mapping[str, Any], place: str) -> Words:
    words = tuple(spec["Values"])
    if len(set(words)) != len(words):
        raise ValidationError(f"{place}['{spec['Name']}'] has a value more than once: {', '.join(words)}.")
    return Words(spec["Name"], words)
