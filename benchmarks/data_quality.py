"""Does the gate decide as the README says, on how many seeds? And how do the scripts do on the public workshop's data?

`python -m benchmarks.data_quality` makes a data set a seed, trains it untuned and tuned (the best of five random draws
by validation:auc), and prints the test ROC AUC of each and on which side of the threshold it falls.
`--public DIR` (claims.csv and customers.csv) compares with the workshop's own training script on the same test rows.
"""

import argparse
import contextlib
import io
import math
import random
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import xgboost as xgb

import columns
import evaluate
import features
import inference
import preprocess
import splits
import train
from benchmarks import workshop
from pipelines.fraud.dataset import DEFAULT_ROWS, DEFAULT_SEED, write
from pipelines.fraud.hyperparameters import RANGES, UNTUNED

TRIALS = 5
THRESHOLD = 0.85


class Result(NamedTuple):
    """Test ROC AUC for one seed: untuned, and one value a tuning."""

    seed: int
    untuned: float
    tuned: list[float]


def draw(generator: random.Random) -> dict[str, float]:
    """Return one trial's hyperparameters, uniform in their ranges."""
    values: dict[str, float] = {}
    for name, (low, high, kind, scaling) in RANGES.items():
        if kind == "Integer":
            values[name] = generator.randint(int(low), int(high))
        elif scaling == "Logarithmic":
            values[name] = math.exp(generator.uniform(math.log(low), math.log(high)))
        else:
            values[name] = generator.uniform(low, high)
    return values


def fit(folder: Path, hyperparameters: dict[str, float]) -> tuple[float, float]:
    """Train on a preprocessed folder; return the ROC AUC on validation and on test."""
    schema = columns.load_schema(folder / "schema" / "schema.json")
    with contextlib.redirect_stdout(io.StringIO()):
        booster = train.train(folder / "train", folder / "validation", schema, {**UNTUNED, **hyperparameters})
    model = inference.Model(booster, schema)
    return _score(model, folder / "validation"), _score(model, folder / "test")


def _score(model: inference.Model, folder: Path) -> float:
    table = pq.read_table(folder / f"{folder.name}.parquet")
    scores = model.predict(features.matrix(table, model.schema.names))
    return features.roc_auc(table[model.schema.label].to_numpy() == 1, scores)


def tune(folder: Path, seed: str) -> float:
    """Return the test ROC AUC of the best of five trials by validation ROC AUC."""
    generator = random.Random(seed)
    return max(fit(folder, draw(generator)) for _ in range(TRIALS))[1]


def measure(raw: Path, split_seed: int, name: int, tunings: int) -> Result:
    """Preprocess and train one data set."""
    with tempfile.TemporaryDirectory() as folder:
        preprocess.preprocess(raw, Path(folder), seed=split_seed)
        untuned = fit(Path(folder), {})[1]
        return Result(name, untuned, [tune(Path(folder), f"{name}/{n}") for n in range(tunings)])


def synthetic(seed: int, *, rows: int, tunings: int) -> Result:
    """Measure the sample data of one seed, split as the pipeline splits it."""
    with tempfile.TemporaryDirectory() as raw:
        write(Path(raw), rows=rows, seed=seed)
        return measure(Path(raw), 42, seed, tunings)


def public(seed: int, *, folder: Path, tunings: int, trainer: str) -> Result:
    """Measure the public data on one seeded split, with these scripts or with the workshop's."""
    if trainer == "ours":
        return measure(folder, seed, seed, tunings)
    data = workshop.read(folder)
    test = splits.assign_splits(data.labels, data.ids, seed) == list(splits.SPLITS).index("test")
    tuned = [workshop.tuned(data, test, f"{seed}/{n}", trials=TRIALS) for n in range(tunings)]
    return Result(seed, workshop.untuned(data, test), tuned)


def show(title: str, results: Sequence[Result]) -> None:
    """Print one line a seed and the shares on the expected side of the threshold."""
    print(f"\n{title}\n{'seed':>6} {'untuned':>8}  tuned")
    for seed, untuned, tuned in results:
        print(f"{seed:>6} {untuned:>8.4f}  {' '.join(f'{value:.4f}' for value in tuned)}")
    flat = np.array([value for result in results for value in result.tuned])
    first = np.array([result.untuned for result in results])
    both = np.mean([result.untuned <= THRESHOLD < value for result in results for value in result.tuned])
    print(f"  mean {first.mean():>7.4f}  {flat.mean():.4f}   lowest tuned {flat.min():.4f}, highest {flat.max():.4f}")
    below, above = np.mean(first <= THRESHOLD), np.mean(flat > THRESHOLD)
    print(f"  untuned <= {THRESHOLD}: {below:.0%}   tuned > {THRESHOLD}: {above:.0%}   both: {both:.0%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS)
    parser.add_argument("--seeds", type=int, default=20, help="data sets besides the default one (default %(default)s)")
    parser.add_argument("--tunings", type=int, default=3, help="tunings a data set (default %(default)s)")
    parser.add_argument("--public", type=Path, help="folder with the public workshop's claims.csv and customers.csv")
    parser.add_argument("--splits", type=int, default=5, help="splits of the public data (default %(default)s)")
    options = parser.parse_args()
    print(f"xgboost {xgb.__version__}; untuned {UNTUNED}; decision threshold {evaluate.DECISION}")
    with ProcessPoolExecutor(2) as pool:
        measures: list[tuple[str, Callable[[int], Result], Sequence[int]]] = [
            (
                "sample data",
                partial(synthetic, rows=options.rows, tunings=options.tunings),
                [DEFAULT_SEED, *range(options.seeds)],
            )
        ]
        for trainer in ("ours", "workshop") if options.public else ():
            one = partial(public, folder=options.public, tunings=options.tunings, trainer=trainer)
            measures.append((f"public data, {trainer}", one, range(options.splits)))
        for title, function, seeds in measures:
            show(title, list(pool.map(function, seeds)))


if __name__ == "__main__":
    main()
