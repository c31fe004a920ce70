"""The search for hyperparameters: ranges and their scales, strategies, and the same choices for the same seed."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.local.errors import ValidationError
from pipelines.local.jobs.ranges import Numbers, Space, Words, read_ranges
from pipelines.local.jobs.search import Search, Strategy
from tests.local.jobs.tuning_requests import numbers, words

STRATEGIES: tuple[Strategy, ...] = ("Bayesian", "Random", "Hyperband", "Grid")
SPACE: Space = (
    Numbers("depth", 1, 9, whole=True, scale="Linear"),
    Numbers("eta", 0.001, 1, whole=False, scale="Logarithmic"),
    Numbers("momentum", 0.5, 0.999, whole=False, scale="ReverseLogarithmic"),
    Words("booster", ("gbtree", "dart")),
)
GRID: Space = (Words("a", ("1", "2", "3")), Words("b", ("x", "y")))


def integers(*specs: dict[str, Any]) -> Space:
    return read_ranges({"IntegerParameterRanges": list(specs)}, "Ranges")


def continuous(*specs: dict[str, Any]) -> Space:
    return read_ranges({"ContinuousParameterRanges": list(specs)}, "Ranges")


def play(
    search: Search, trials: int, result: Callable[[dict[str, str]], float | None], *, behind: int = 1
) -> list[dict[str, str]]:
    """Ask for trials, and tell each result when some more were asked, as with trials that run side by side."""
    asked: list[dict[str, str]] = []
    for number in range(trials):
        if number >= behind:
            search.tell(number - behind, result(asked[number - behind]))
        asked.append(search.ask())
    return asked


def peak(hyperparameters: dict[str, str]) -> float:
    """A score that is best at depth 6 and eta 0.1."""
    return -abs(int(hyperparameters["depth"]) - 6) / 8 - abs(float(hyperparameters["eta"]) - 0.1)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("behind", [1, 3])
def test_the_same_seed_makes_the_same_choices(strategy: Strategy, behind: int) -> None:
    space = GRID if strategy == "Grid" else SPACE
    first, second = (
        play(
            Search(space, strategy, seed=7, trials=6),
            6,
            lambda hyperparameters: len(str(hyperparameters)),
            behind=behind,
        )
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("strategy", ["Bayesian", "Random", "Hyperband"])
def test_another_seed_makes_other_choices(strategy: Strategy) -> None:
    first, second = (play(Search(SPACE, strategy, seed=seed, trials=4), 4, peak) for seed in (1, 2))
    assert first != second


def test_every_value_is_in_its_range_and_a_text_of_its_type() -> None:
    for hyperparameters in play(Search(SPACE, "Bayesian", seed=1, trials=40), 40, peak):
        assert hyperparameters["depth"] in {str(depth) for depth in range(1, 10)}
        assert 0.001 <= float(hyperparameters["eta"]) <= 1
        assert 0.5 <= float(hyperparameters["momentum"]) <= 0.999
        assert hyperparameters["booster"] in {"gbtree", "dart"}


@pytest.mark.parametrize(
    ("scale", "low", "high", "middle"),
    [("Linear", 0.0, 0.9, 0.45), ("Logarithmic", 0.0001, 1.0, 0.01), ("ReverseLogarithmic", 0.0, 0.9999, 0.99)],
)
def test_a_scale_puts_half_of_the_values_on_each_side_of_its_middle(
    scale: Any, low: float, high: float, middle: float
) -> None:
    search = Search((Numbers("x", low, high, whole=False, scale=scale),), "Random", seed=3, trials=300)
    below = sum(float(search.ask()["x"]) < middle for _ in range(300))
    assert 120 <= below <= 180


def test_bayesian_search_finds_more_than_random_search_does() -> None:
    def best(strategy: Strategy, seed: int) -> float:
        return max(peak(trial) for trial in play(Search(SPACE, strategy, seed=seed, trials=30), 30, peak, behind=2))

    seeds = range(5)
    assert sum(best("Bayesian", seed) for seed in seeds) > sum(best("Random", seed) for seed in seeds)


def test_bayesian_search_goes_on_after_trials_without_a_result() -> None:
    asked = play(Search(SPACE, "Bayesian", seed=1, trials=12), 12, lambda _: None, behind=2)
    assert len(asked) == 12


def test_a_grid_is_every_combination_in_order() -> None:
    asked = play(Search(GRID, "Grid", seed=1, trials=6), 6, lambda _: 0.0, behind=2)
    assert [(one["a"], one["b"]) for one in asked] == list(itertools.product("123", "xy"))


def test_trials_of_an_earlier_search_guide_the_next_one() -> None:
    def first_choice(depth: int) -> int:
        search = Search(SPACE, "Bayesian", seed=5, trials=20)
        for index in range(30):
            earlier = {"depth": str(1 + index % 9), "eta": "0.1", "momentum": "0.9", "booster": "dart"}
            assert search.add(earlier, -abs(1 + index % 9 - depth))
        return int(search.ask()["depth"])

    assert first_choice(9) > first_choice(1)


@pytest.mark.parametrize(
    "changes", [{"depth": "10"}, {"depth": "2.5"}, {"eta": "fast"}, {"momentum": "0.1"}, {"booster": "gblinear"}]
)
def test_an_earlier_trial_outside_of_the_space_is_left_out(changes: dict[str, str]) -> None:
    inside = {"depth": "3", "eta": "0.1", "momentum": "0.999", "booster": "dart"}
    search = Search(SPACE, "Bayesian", seed=5, trials=20)
    assert search.add(inside, 1.0)
    assert not search.add(inside | changes, 1.0)
    del inside["depth"]
    assert not search.add(inside, 1.0)


def test_ranges_are_read_from_their_texts() -> None:
    assert read_ranges(
        {
            "IntegerParameterRanges": [numbers("depth", "1", "9")],
            "ContinuousParameterRanges": [numbers("eta", "1e-3", "1", ScalingType="Logarithmic")],
            "CategoricalParameterRanges": [words("booster", "gbtree", "dart")],
        },
        "Ranges",
    ) == (
        Numbers("depth", 1, 9, whole=True, scale="Linear"),
        Numbers("eta", 0.001, 1, whole=False, scale="Logarithmic"),
        Words("booster", ("gbtree", "dart")),
    )


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [("0.01", "1", "Logarithmic"), ("0.1", "1", "Linear"), ("0", "1000", "Linear"), ("-5", "5", "Linear")],
)
def test_automatic_scaling_is_logarithmic_over_two_magnitudes(low: str, high: str, scale: str) -> None:
    (automatic,) = continuous(numbers("x", low, high, ScalingType="Auto"))
    assert isinstance(automatic, Numbers)
    assert automatic.scale == scale
    assert continuous(numbers("x", low, high)) == (automatic,)


@pytest.mark.parametrize(
    ("read", "spec", "reason"),
    [
        (
            integers,
            numbers("d", "5", "5"),
            "Ranges.IntegerParameterRanges['d'] has MinValue 5 and MaxValue 5; MinValue",
        ),
        (continuous, numbers("x", "2", "1"), "Ranges.ContinuousParameterRanges['x'] has MinValue 2 and MaxValue 1"),
        (
            integers,
            numbers("d", "1.5", "3"),
            "IntegerParameterRanges['d'].MinValue is '1.5'; it must be a whole number",
        ),
        (
            continuous,
            numbers("x", "0", "many"),
            "ContinuousParameterRanges['x'].MaxValue is 'many'; it must be a number",
        ),
        (continuous, numbers("x", "nan", "1"), "MinValue is 'nan'; it must be a number"),
        (continuous, numbers("x", "0", "1", ScalingType="Logarithmic"), "so MinValue must be above 0; it is 0"),
        (integers, numbers("d", "0", "1", ScalingType="ReverseLogarithmic"), "it is an integer range from 0 to 1"),
        (continuous, numbers("x", "0", "1", ScalingType="ReverseLogarithmic"), "within 0 <= x < 1; it is a range from"),
    ],
)
def test_a_range_that_cannot_be_searched_is_named(
    read: Callable[..., Space], spec: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError) as error:
        read(spec)
    assert reason in error.value.message


def test_ranges_together_are_checked() -> None:
    with pytest.raises(ValidationError, match="has 0 hyperparameters to tune; there must be 1 to 30"):
        read_ranges({}, "Ranges")
    with pytest.raises(ValidationError, match="has 31 hyperparameters to tune"):
        continuous(*(numbers(f"x{index}") for index in range(31)))
    with pytest.raises(ValidationError, match="Ranges has more than one range for x"):
        continuous(numbers("x"), numbers("x"))
    with pytest.raises(ValidationError, match=r"has a value more than once: a, b, a"):
        read_ranges({"CategoricalParameterRanges": [words("w", "a", "b", "a")]}, "Ranges")
    with pytest.raises(ValidationError, match="AutoParameters is not done on this machine: give ranges for eta"):
        read_ranges({"AutoParameters": [{"Name": "eta", "ValueHint": "0.1"}]}, "Ranges")
