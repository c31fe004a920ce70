"""Which hyperparameters a tuning job tries next; Optuna chooses."""

import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pipelines.local.jobs.ranges import Range, Space, Words

Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]

# Before it models anything, Bayesian search looks at random points: half of the trials, within these limits.
FEWEST_STARTING_TRIALS = 3
MOST_STARTING_TRIALS = 10


class Search:
    """A sequence of trials for a space: `ask` for each one's hyperparameters, `tell` its result.

    The same asks and tells in the same order give the same hyperparameters for the same seed. Results count as
    better when they are higher. Hyperband draws at random here: it saves by ending bad trials early, which is not
    this class's business.
    """

    def __init__(self, space: Space, strategy: Strategy, *, seed: int, trials: int) -> None:
        optuna = _optuna()
        self._space = space
        self._distributions = {one.name: _distribution(one) for one in space}
        self._grid = grid(space) if strategy == "Grid" else None
        self._study = optuna.create_study(direction="maximize", sampler=_sampler(strategy, seed, trials))
        self._asked: list[Any] = []

    def ask(self) -> dict[str, str]:
        """Return the hyperparameters of the next trial, as texts."""
        if self._grid is not None:
            self._study.enqueue_trial(next(self._grid))
        trial = self._study.ask(self._distributions)
        self._asked.append(trial)
        return {one.name: _text(one, trial.params[one.name]) for one in self._space}

    def tell(self, number: int, result: float | None) -> None:
        """Take in the result of a trial, by its place in the sequence of asks; None means that it has none."""
        failed = _optuna().trial.TrialState.FAIL
        self._study.tell(self._asked[number], result, state=failed if result is None else None)

    def add(self, hyperparameters: Mapping[str, str], result: float) -> bool:
        """Take in a trial of an earlier search, and tell whether it lies in this space."""
        values = {one.name: _value(one, hyperparameters.get(one.name, "")) for one in self._space}
        if None in values.values():
            return False
        trial = _optuna().trial.create_trial(params=values, distributions=self._distributions, value=result)
        self._study.add_trial(trial)
        return True


def grid(space: Space) -> Iterator[dict[str, str]]:
    """Return every combination of a space of words."""
    words = [one.words for one in space if isinstance(one, Words)]
    return (dict(zip([one.name for one in space], values, strict=True)) for values in itertools.product(*words))


def _optuna() -> Any:
    # Optuna takes a third of a second to import, and only tuning jobs need it.
    import optuna  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


def _sampler(strategy: Strategy, seed: int, trials: int) -> Any:
    samplers = _optuna().samplers
    if strategy != "Bayesian":
        return samplers.RandomSampler(seed=seed)
    starting = min(MOST_STARTING_TRIALS, max(FEWEST_STARTING_TRIALS, trials // 2))
    # Hyperparameters are modelled together, and trials that still run count as bad ones, so that trials that run
    # side by side are not all the same.
    return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=starting)


def _distribution(one: Range) -> Any:
    distributions = _optuna().distributions
    if isinstance(one, Words):
        return distributions.CategoricalDistribution(one.words)
    if one.whole:
        return distributions.IntDistribution(int(one.low), int(one.high), log=one.scale == "Logarithmic")
    if one.scale == "ReverseLogarithmic":
        return distributions.FloatDistribution(1 - one.high, 1 - one.low, log=True)
    return distributions.FloatDistribution(one.low, one.high, log=one.scale == "Logarithmic")


def _text(one: Range, value: Any) -> str:
    if isinstance(one, Words):
        return str(value)
    if one.scale == "ReverseLogarithmic":
        value = _within(1 - value, one.low, one.high)
    return one.text(value)


def _value(one: Range, text: str) -> Any:
    """Return what Optuna has for a text, or None if the text is out of range."""
    if isinstance(one, Words):
        return text if text in one.words else None
    value = one.read(text)
    if value is not None and one.scale == "ReverseLogarithmic":
        return _within(1 - value, 1 - one.high, 1 - one.low)
    return int(value) if value is not None and one.whole else value


def _within(value: float, low: float, high: float) -> float:
    # A subtraction may round to just outside of the range.
    return min(high, max(low, value))
