"""What the Train step uses untuned, and where the Tune step looks for better."""

from typing import Literal, NamedTuple


class Range(NamedTuple):
    """The values of one tuned hyperparameter, both ends included."""

    low: float
    high: float
    kind: Literal["Integer", "Continuous"]
    scaling: Literal["Linear", "Logarithmic"]


# A scorecard: each tree asks one question, so no two columns act together. It is quick, hard to overfit and a fair
# first model; what only a combination of columns gives away is left for the tuning to find. The class weight multiplies
# each fraudulent claim's gradient about thirty times, so lambda is as many times larger than usual.
UNTUNED: dict[str, int | float] = {
    "num_round": 100,
    "early_stopping_rounds": 20,
    "eta": 0.3,
    "max_depth": 1,
    "min_child_weight": 1.0,
    "alpha": 0.0,
    "lambda": 20.0,
    "seed": 42,
}

RANGES: dict[str, Range] = {
    "eta": Range(0.05, 0.5, "Continuous", "Logarithmic"),
    "min_child_weight": Range(1.0, 10.0, "Continuous", "Linear"),
    "alpha": Range(0.0, 2.0, "Continuous", "Linear"),
    "max_depth": Range(1, 6, "Integer", "Linear"),
}
