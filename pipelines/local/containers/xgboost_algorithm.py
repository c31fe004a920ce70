"""XGBoost as SageMaker's built-in algorithm, run as the program of a training job that brings no program of its own.

Standalone: it runs where this package is not installed. It behaves as the algorithm mode of
aws/sagemaker-xgboost-container does (commit cb8df91): same files, hyperparameters, metrics and model.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb

if TYPE_CHECKING:
    from pipelines.local.containers.xgboost_data import Examples, read_channel
    from pipelines.local.containers.xgboost_hyperparameters import MAXIMIZED_METRICS, UserError, read_hyperparameters
    from pipelines.local.containers.xgboost_metrics import ADDED_METRICS, added_metrics
else:
    # The folder of the script is on the path, this package is not.
    from xgboost_data import Examples, read_channel
    from xgboost_hyperparameters import MAXIMIZED_METRICS, UserError, read_hyperparameters
    from xgboost_metrics import ADDED_METRICS, added_metrics

logger = logging.getLogger("xgboost_algorithm")

MODEL_NAME = "xgboost-model"
CHANNELS = ("train", "validation")
FAILURE_LIMIT = 1024
ERROR_PREFIX = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: ")


class SaveEveryRound(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Keeps the model so far in the model folder, for a job that is ended before its last round."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: Any) -> bool:
        """Save the model, and let the training go on."""
        save(model, self._folder)
        return False


def main() -> None:
    """Train by what stands in the container's input folder; on failure leave the reason, and exit with 1."""
    logging.basicConfig(format="[%(asctime)s:%(levelname)s] %(message)s", level=logging.INFO)
    try:
        train(
            _folder("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config"),
            _folder("SM_INPUT_DIR", "/opt/ml/input") / "data",
            _folder("SM_MODEL_DIR", "/opt/ml/model"),
        )
    except UserError as error:
        fail(f"UserError: {error}")
    except xgb.core.XGBoostError as error:
        fail(f"XGB train call failed with exception: {_first_line(error)}")
    except Exception as error:
        logger.exception("unexpected failure")
        fail(f"{type(error).__name__}: {error}")


def _folder(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or default)


def _first_line(error: Exception) -> str:
    return ERROR_PREFIX.sub("", str(error).strip().splitlines()[0])


def fail(reason: str) -> None:
    """Leave the reason where the service reads it, and exit with 1."""
    logger.error("%s", reason)
    folder = _folder("SM_OUTPUT_DIR", "/opt/ml/output")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failure").write_text(reason[:FAILURE_LIMIT], encoding="utf-8")
    sys.exit(1)


def train(config: Path, data: Path, model_folder: Path) -> None:
    """Train on the channels under `data` with the hyperparameters in `config`, and save the model.

    Raises:
        UserError: the hyperparameters, the channels or their data are not as they must be.
    """
    values = read_hyperparameters(json.loads((config / "hyperparameters.json").read_text(encoding="utf-8")))
    channels = json.loads((config / "inputdataconfig.json").read_text(encoding="utf-8"))
    examples = read_examples(channels, data, csv_weights=bool(values.pop("csv_weights", 0)))
    objective = values.get("objective", "reg:squarederror")
    for name, part in examples.items():
        _check_labels(name, part.labels, objective, values.get("num_class"))
        logger.info("%s matrix has %d rows and %d columns", name.capitalize(), *part.features.shape)
    booster = boost(values, {name: _matrix(part) for name, part in examples.items()}, model_folder)
    save(booster, model_folder)


def read_examples(channels: dict[str, dict[str, str]], data: Path, *, csv_weights: bool) -> dict[str, Examples]:
    """Read the train channel and, if there is one, the validation channel, by the content type of the former."""
    if "train" not in channels:
        raise UserError(f"Missing required channel: train; the job has {', '.join(channels) or 'none'}")
    for name, channel in channels.items():
        if channel.get("TrainingInputMode", "File") == "Pipe":
            raise UserError(f"Pipe mode of channel {name} is no longer supported; use File mode")
    content_type = channels["train"].get("ContentType")
    names = [name for name in CHANNELS if name in channels]
    examples = {name: read_channel(data / name, content_type, csv_weights=csv_weights) for name in names}
    if "validation" in examples:
        _check_columns(examples["train"].features, examples["validation"].features)
    return examples


def _check_columns(train: Any, validation: Any) -> None:
    # Sparse rows leave out what is zero, so fewer columns mean nothing there.
    dense = isinstance(train, np.ndarray)
    there, wanted = validation.shape[1], train.shape[1]
    if there > wanted or (dense and there < wanted):
        raise UserError(f"The validation channel has {there} feature columns, the train channel has {wanted}")


def _check_labels(channel: str, labels: Any, objective: str, classes: int | None) -> None:
    if objective in ("binary:logistic", "binary:logitraw", "reg:logistic"):
        allowed, wrong = "in [0,1] for logistic regression", (labels < 0) | (labels > 1)
    elif objective.startswith("multi:"):
        allowed, wrong = f"in [0, num_class) with num_class={classes}", (labels < 0) | (labels >= classes)
    else:
        return
    if wrong.any():
        raise UserError(f"label must be {allowed}; the {channel} channel has {labels[wrong][0]:g}")


def _matrix(examples: Examples) -> xgb.DMatrix:
    return xgb.DMatrix(examples.features, label=examples.labels, weight=examples.weights, qid=examples.groups)


def boost(values: dict[str, Any], matrices: dict[str, xgb.DMatrix], model_folder: Path) -> xgb.Booster:
    """Return the trained booster: the best round's, if early stopping was asked for and can be done."""
    rounds = values.pop("num_round")
    metrics, early_stopping_metric = _metrics(values)
    added = [name for name in metrics if name in ADDED_METRICS]
    own = [name for name in metrics if name not in ADDED_METRICS]
    callbacks = _callbacks(values, early_stopping_metric, model_folder, has_validation="validation" in matrices)
    parameters = {"nthread": _cpus(), **values, **({"eval_metric": own} if own else {})}
    return xgb.train(
        {name: ",".join(value) if name == "updater" else value for name, value in parameters.items()},
        matrices["train"],
        num_boost_round=rounds,
        evals=[(matrix, name) for name, matrix in matrices.items()],
        custom_metric=added_metrics(added, values.get("objective", "")) if added else None,
        callbacks=callbacks,
        verbose_eval=False,
    )


def _metrics(values: dict[str, Any]) -> tuple[list[str], str | None]:
    """Take the metrics out of the hyperparameters: all to print, and the one to stop early by."""
    asked: list[str] = values.pop("eval_metric", [])
    tuned: str | None = values.pop("_tuning_objective_metric", None)
    if tuned is None:
        return asked, asked[-1] if asked else None
    metric = tuned.removeprefix("validation:")
    return sorted({metric, *asked}), metric


def _callbacks(values: dict[str, Any], metric: str | None, model_folder: Path, *, has_validation: bool) -> list[Any]:
    rounds = values.pop("early_stopping_rounds", None)
    callbacks: list[Any] = [xgb.callback.EvaluationMonitor()]
    if values.pop("save_model_on_termination", "false") == "true":
        callbacks.append(SaveEveryRound(model_folder))
    if rounds and metric and has_validation:
        maximize = metric.partition("@")[0] in MAXIMIZED_METRICS
        callbacks.append(
            xgb.callback.EarlyStopping(
                rounds=rounds, data_name="validation", metric_name=metric, maximize=maximize, save_best=True
            )
        )
    elif rounds:
        logger.warning("early_stopping_rounds has no effect without a validation channel and an eval_metric")
    return callbacks


def _cpus() -> int:
    # A job may be bound to some of the CPUs, which XGBoost does not see when the process began on all.
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def save(booster: xgb.Booster, folder: Path) -> None:
    """Write a booster as XGBoost's `save_model` does under a name without ending, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{MODEL_NAME}"
    unfinished.write_bytes(booster.save_raw("ubj"))
    unfinished.replace(folder / MODEL_NAME)


if __name__ == "__main__":
    main()
