"""How numbers are written in a report."""

import math


def number(value: float | None) -> str:
    """Return a number with four decimals at most, very small and very great ones by their exponent."""
    if value is None:
        return "unknown"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.4g}"
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def setting(text: str) -> str:
    """Return a hyperparameter's value, shortened where it is a number."""
    try:
        value = float(text)
    except ValueError:
        return text
    return number(value) if math.isfinite(value) else text


def signed(value: float) -> str:
    """Return a difference with its sign."""
    text = number(abs(value))
    if text == "0":
        return "±0"
    return f"+{text}" if value > 0 else f"−{text}"


def percent(share: float) -> str:
    """Return a part of 1 as a percentage."""
    return f"{share * 100:.{0 if share in {0, 1} else 1}f} %"


def count(value: int) -> str:
    """Return a count with its thousands apart."""
    return f"{value:,}".replace(",", "\u202f")
