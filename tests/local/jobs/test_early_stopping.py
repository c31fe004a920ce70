"""The rules that end bad trials early, on curves where higher is better."""

import pytest

from pipelines.local.jobs.early_stopping import Halving, Median, Never, end_of

STEADY = [(0.5, 0.6, 0.7), (0.4, 0.6, 0.8), (0.3, 0.3, 0.3)]


def test_without_a_rule_every_trial_runs_to_its_end() -> None:
    assert end_of((0.0, 0.0), STEADY, Never()) is None


def test_a_trial_ends_when_it_is_below_the_median_of_the_running_averages() -> None:
    # The averages up to the steps are 0.5, 0.4, 0.3, then 0.55, 0.5, 0.3, then 0.6, 0.6, 0.3.
    assert end_of((0.4, 0.5, 0.6), STEADY, Median()) is None
    assert end_of((0.39, 0.9, 0.9), STEADY, Median()) == 0
    assert end_of((0.4, 0.49, 0.9), STEADY, Median()) == 1
    assert end_of((0.4, 0.5, 0.59), STEADY, Median()) == 2


def test_the_median_of_an_even_number_of_trials_is_between_the_middle_ones() -> None:
    peers = [(0.1,), (0.4,), (0.2,), (0.9,)]
    assert Median().limit(0, peers) == pytest.approx(0.3)


def test_a_trial_is_not_judged_by_fewer_than_three_others() -> None:
    assert end_of((0.0, 0.0, 0.0), STEADY[:2], Median()) is None
    assert end_of((0.9, 0.9, 0.0), [*STEADY[:2], (0.3, 0.3)], Median()) is None


def test_a_trial_that_goes_further_than_the_others_goes_on() -> None:
    assert end_of((0.9, 0.9, 0.9, 0.0), STEADY, Median()) is None


@pytest.mark.parametrize(("value", "ends"), [(0.6, None), (0.59, 2)])
def test_halving_keeps_the_best_third_at_its_steps(value: float, ends: int | None) -> None:
    peers = [(0.0, 0.0, last) for last in (0.1, 0.2, 0.3, 0.6, 0.7)]
    assert end_of((0.0, 0.0, value), peers, Halving(3, 27)) == ends


def test_halving_looks_at_its_steps_only() -> None:
    peers = [(0.9,) * 30] * 3
    steps = [step + 1 for step in range(30) if Halving(2, 18).limit(step, peers) is not None]
    assert steps == [2, 6]


def test_halving_needs_three_trials() -> None:
    assert end_of((0.0,), [(0.9,)], Halving(1, 9)) is None
    assert end_of((0.0,), [(0.9,), (0.8,)], Halving(1, 9)) == 0


def test_what_is_known_to_be_good_is_not_looked_at_again() -> None:
    assert end_of((0.0, 0.9, 0.9), STEADY, Median(), known=1) is None
