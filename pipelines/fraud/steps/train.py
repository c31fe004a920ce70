"""The Train job: gradient-boosted trees with native categories, stopped early by the validation set's ROC AUC."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import xgboost as xgb

from columns import DataError, Schema, load_schema
from features import matrix, report_failure, roc_auc

Labels = npt.NDArray[np.bool_]
# With fewer rows a second thread costs more than it gives; and one thread adds in the same order on every machine.
SINGLE_THREAD_ROWS = 20_000
# Above this many rows the train-auc is that of a sample: scoring every row each round would cost more than the round.
WATCHED_ROWS = 50_000
# Asking for one category at a time: among few frauds, groups of categories found by their gradients fit noise.
FIXED = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_cat_to_onehot": 64,
    "disable_default_eval_metric": True,
}
SERVED_WITH_THE_MODEL = ("inference.py", "claims.py", "features.py", "columns.py")


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter: the type and range of its values, and its value when it is not given."""

    kind: type[int] | type[float]
    low: float
    high: float
    default: float | None

    def parse(self, text: str) -> float:
        """Read a value, or raise ArgumentTypeError that says what is allowed."""
        try:
            value = self.kind(text)
        except ValueError:
            value = float("nan")
        if not self.low <= value <= self.high:
            kind = "a whole number" if self.kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; allowed: {kind} from {self.low:g} to {self.high:g}"
            )
        return value


HYPERPARAMETERS = {
    "num_round": Hyperparameter(int, 1, 100_000, 100),
    "early_stopping_rounds": Hyperparameter(int, 0, 100_000, 20),
    "eta": Hyperparameter(float, 0, 1, 0.3),
    "max_depth": Hyperparameter(int, 1, 30, 6),
    "min_child_weight": Hyperparameter(float, 0, 1e9, 1.0),
    "alpha": Hyperparameter(float, 0, 1e9, 0.0),
    "lambda": Hyperparameter(float, 0, 1e9, 1.0),
    "gamma": Hyperparameter(float, 0, 1e9, 0.0),
    "subsample": Hyperparameter(float, 1e-6, 1, 1.0),
    "colsample_bytree": Hyperparameter(float, 1e-6, 1, 1.0),
    "scale_pos_weight": Hyperparameter(float, 0, 1e9, None),
    "seed": Hyperparameter(int, 0, 2**31 - 1, 42),
    "nthread": Hyperparameter(int, 0, 1_024, None),
}


class RowGroups(xgb.DataIter):
    """The rows of a channel's Parquet files, one row group at a time, so that memory holds only the binned data."""

    def __init__(self, channel: Path, schema: Schema) -> None:
        super().__init__()
        self.schema = schema
        files = [pq.ParquetFile(file) for file in sorted(channel.glob("*.parquet"))]
        self.groups = [(file, group) for file in files for group in range(file.num_row_groups)]
        self.rows = sum(file.metadata.num_rows for file in files)
        if not self.rows:
            raise DataError(f"{channel}: no rows in *.parquet; give the Preprocess step's output")
        self.position = 0

    def labels(self) -> Labels:
        """Return all labels."""
        groups = (file.read_row_group(group, [self.schema.label]) for file, group in self.groups)
        return np.concatenate([group.column(0).to_numpy() == 1 for group in groups])

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand the next row group to XGBoost."""
        if self.position == len(self.groups):
            return False
        file, group = self.groups[self.position]
        table = file.read_row_group(group)
        input_data(
            data=matrix(table, self.schema.names),
            label=table[self.schema.label].to_numpy(),
            feature_names=self.schema.names,
            feature_types=self.schema.types,
        )
        self.position += 1
        return True

    def reset(self) -> None:
        """Begin again at the first row group."""
        self.position = 0


class RocAuc:
    """The ROC AUC of known sets; XGBoost's own sorts a large set several times slower."""

    def __init__(self, labels: dict[xgb.DMatrix, Labels]) -> None:
        self.labels = labels

    def __call__(self, scores: npt.NDArray[np.float32], data: xgb.DMatrix) -> tuple[str, float]:
        """Return the metric's name and value for one of the sets."""
        return "auc", roc_auc(self.labels[data], scores)


class Rounds(xgb.callback.TrainingCallback):
    """Prints one line a round, in the form that SageMaker's metric definitions match."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Print the round's values."""
        values = "".join(f"\t{name}-auc:{log['auc'][-1]:.6f}" for name, log in evals_log.items())
        self.lines.append(f"[{epoch}]{values}")
        print(self.lines[-1], flush=True)
        return False


def train(
    train_dir: Path, validation_dir: Path, schema: Schema, hyperparameters: dict[str, float | None]
) -> xgb.Booster:
    """Return the booster up to its best round by the validation set's ROC AUC."""
    given = {name: hyperparameter.default for name, hyperparameter in HYPERPARAMETERS.items()} | hyperparameters
    rounds, patience = int(given.pop("num_round") or 1), int(given.pop("early_stopping_rounds") or 0)
    rows, validation_rows = RowGroups(train_dir, schema), RowGroups(validation_dir, schema)
    labels = _both_classes(rows, "train")
    _both_classes(validation_rows, "validation")
    if given["scale_pos_weight"] is None:
        given["scale_pos_weight"] = (len(labels) - labels.sum()) / labels.sum()
    if given["nthread"] is None:
        given["nthread"] = 1 if len(labels) < SINGLE_THREAD_ROWS else 0
    data = xgb.QuantileDMatrix(rows, nthread=int(given["nthread"] or 0))
    sample = _watch(rows, every=-(-rows.rows // WATCHED_ROWS))
    validation = _watch(validation_rows)
    printed = Rounds()
    stopping = xgb.callback.EarlyStopping(
        rounds=patience or rounds, metric_name="auc", data_name="validation", maximize=True, save_best=True
    )
    booster = xgb.train(
        {**FIXED, **given},
        data,
        rounds,
        evals=[(sample[0], "train"), (validation[0], "validation")],
        custom_metric=RocAuc(dict([sample, validation])),
        callbacks=[printed, stopping],
        verbose_eval=False,
    )
    # The last match is the job's final metric: it must be the saved round's, not the last round's.
    print(printed.lines[booster.num_boosted_rounds() - 1], flush=True)
    return booster


def _watch(rows: RowGroups, *, every: int = 1) -> tuple[xgb.DMatrix, Labels]:
    # Each round scores these rows, and that takes half the time on plain values of what it takes on binned ones.
    values, labels = [], []
    for file, group in rows.groups:
        table = file.read_row_group(group)
        values.append(np.ascontiguousarray(matrix(table, rows.schema.names)[::every]))
        labels.append(table[rows.schema.label].to_numpy()[::every] == 1)
    scored = xgb.DMatrix(np.concatenate(values), feature_names=rows.schema.names, feature_types=rows.schema.types)
    return scored, np.concatenate(labels)


def _both_classes(rows: RowGroups, channel: str) -> Labels:
    labels = rows.labels()
    if labels.all() or not labels.any():
        raise DataError(f"channel {channel}: every label is {int(labels[0])}; allowed: both 0 and 1")
    return labels


def save(booster: xgb.Booster, schema_file: Path, model_dir: Path) -> None:
    """Write the model, the schema and the code that serves them; no pickle."""
    code = model_dir / "code"
    code.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(schema_file, model_dir / "schema.json")
    for name in SERVED_WITH_THE_MODEL:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    (model_dir / "xgboost-model").write_bytes(booster.save_raw("ubj"))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise DataError(message)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read hyperparameters and folders from the command line and SageMaker's environment, or raise DataError."""
    parser = _Parser(description=__doc__, allow_abbrev=False)
    for name, hyperparameter in HYPERPARAMETERS.items():
        parser.add_argument(f"--{name}", type=hyperparameter.parse, default=hyperparameter.default)
    for channel in ("train", "validation", "schema"):
        default = os.environ.get(f"SM_CHANNEL_{channel.upper()}", f"/opt/ml/input/data/{channel}")
        parser.add_argument(f"--{channel}-dir", type=Path, default=Path(default))
    parser.add_argument("--model-dir", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model")))
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        name = unknown[0].lstrip("-").split("=")[0]
        raise DataError(f"hyperparameter {name!r} is not known; allowed: {', '.join(HYPERPARAMETERS)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job as hyperparameters and environment say; return the exit code."""
    failure_file = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure"
    try:
        options = parse(arguments)
        schema_file = options.schema_dir / "schema.json"
        hyperparameters = {name: getattr(options, name) for name in HYPERPARAMETERS}
        booster = train(options.train_dir, options.validation_dir, load_schema(schema_file), hyperparameters)
    except DataError as error:
        return report_failure(error, failure_file)
    save(booster, schema_file, options.model_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
