"""The default data set puts the untuned model below the default threshold and the tuned one above it."""

from pathlib import Path

import pytest

from benchmarks.data_quality import fit, tune


def test_the_untuned_model_stands_between_the_two_documented_thresholds(prepared: Path) -> None:
    assert 0.78 < fit(prepared, {})[1] < 0.82


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_the_best_of_five_trials_passes_the_default_threshold_and_not_a_near_perfect_one(
    seed: str, prepared: Path
) -> None:
    assert 0.87 < tune(prepared, seed) < 0.99
