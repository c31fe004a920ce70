"""A plain Optuna study over the training function, in one process: `python -m benchmarks.optuna_loop CHANNELS PLAN`.

PLAN is a JSON file: the fixed hyperparameters, and those of each trial.
"""

import json
import sys
from pathlib import Path
from typing import Any

import optuna

import columns
import train
from pipelines.fraud.hyperparameters import RANGES


def suggest(trial: optuna.Trial) -> dict[str, float]:
    """Take a value of each range."""
    values: dict[str, float] = {}
    for name, (low, high, kind, scaling) in RANGES.items():
        log = scaling == "Logarithmic"
        if kind == "Integer":
            values[name] = trial.suggest_int(name, int(low), int(high), log=log)
        else:
            values[name] = trial.suggest_float(name, low, high, log=log)
    return values


def optimize(channels: Path, fixed: dict[str, str], trials: list[dict[str, Any]]) -> float:
    """Train a model for each trial, and return the best one's ROC AUC on the validation set."""
    schema = columns.load_schema(channels / "schema" / "schema.json")
    static = {name: json.loads(value) for name, value in fixed.items() if not name.startswith("sagemaker_")}

    def objective(trial: optuna.Trial) -> float:
        hyperparameters = {**static, **suggest(trial)}
        booster = train.train(channels / "train", channels / "validation", schema, hyperparameters)
        return float(booster.best_score)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=42))
    for one in trials:
        study.enqueue_trial(one)
    study.optimize(objective, n_trials=len(trials))
    return study.best_value


def main() -> None:
    """Run the plan."""
    plan = json.loads(Path(sys.argv[2]).read_text())
    print(optimize(Path(sys.argv[1]), plan["fixed"], plan["trials"]))


if __name__ == "__main__":
    main()
