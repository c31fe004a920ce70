"""The Evaluate job: a model and the test set in; SageMaker's Model Quality report out, and a gate on its ROC AUC."""

import argparse
import gzip
import json
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from columns import DataError
from features import matrix, report_failure, roc_auc
from inference import Model, model_fn

DECISION = 0.5
CURVE_POINTS = 201
Labels = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]


class GateRejected(DataError):
    """A tuned model whose ROC AUC is not above the threshold."""


def extract(archive: Path, folder: Path) -> None:
    """Unpack model.tar.gz, or raise DataError before anything is written when a member would leave the folder."""
    if not archive.is_file():
        raise DataError(f"{archive}: no such file; give the training job's model.tar.gz")
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            for member in members:
                _check_member(member, archive)
            # Written by hand: extractall's filters differ from one Python version to the next.
            for member in members:
                if stream := tar.extractfile(member):
                    file = folder / member.name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(stream.read())
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{archive}: not a whole tar archive ({reason}); give the training job's model.tar.gz"
        ) from error


def _check_member(member: tarfile.TarInfo, archive: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise DataError(f"{archive.name}: member {member.name!r} is refused; allowed: files and folders inside it")


def load_model(model_dir: Path) -> Model:
    """Return the model that model.tar.gz holds."""
    with tempfile.TemporaryDirectory() as folder:
        extract(model_dir / "model.tar.gz", Path(folder))
        return model_fn(folder)


def predict(model: Model, test_dir: Path) -> tuple[Labels, Scores]:
    """Return the test set's labels and the model's probabilities for it."""
    files = sorted(test_dir.glob("*.parquet"))
    if not files:
        raise DataError(f"{test_dir}: no *.parquet; give the Preprocess step's output `test`")
    batches = [batch for file in files for batch in _row_groups(file)]
    labels = np.concatenate([batch[model.schema.label].to_numpy() == 1 for batch in batches])
    scores = np.concatenate([model.predict(matrix(batch, model.schema.names)) for batch in batches])
    if labels.all() or not labels.any():
        raise DataError(f"{test_dir}: every label is {int(labels[0])}; ROC AUC needs both 0 and 1")
    return labels, scores


def importance(model: Model) -> dict[str, Any]:
    """Return each feature's part of what the model's splits gained in training, the greatest first."""
    gains = model.booster.get_score(importance_type="total_gain")
    # Without a split there is no gain to have a part of.
    total = sum(gains.values()) or 1.0
    parts = {name: gains.get(name, 0.0) / total for name in model.schema.names}
    return {"feature_importance": dict(sorted(parts.items(), key=lambda part: -part[1]))}


def _row_groups(file: Path) -> list[Any]:
    parquet = pq.ParquetFile(file)
    return [parquet.read_row_group(group) for group in range(parquet.num_row_groups)]


def report(labels: Labels, scores: Scores) -> dict[str, Any]:
    """Return the metrics in the schema of SageMaker's model quality monitor (binary classification)."""
    predicted = scores >= DECISION
    true_positive, false_positive = int((predicted & labels).sum()), int((predicted & ~labels).sum())
    false_negative, true_negative = int((~predicted & labels).sum()), int((~predicted & ~labels).sum())
    recall = true_positive / (true_positive + false_negative)
    fall_out = false_positive / (false_positive + true_negative)
    precision = true_positive / max(1, true_positive + false_positive)
    metrics: dict[str, Any] = {
        "confusion_matrix": {
            "0": {"0": true_negative, "1": false_positive},
            "1": {"0": false_negative, "1": true_positive},
        },
        "recall": _metric(recall),
        "precision": _metric(precision),
        "accuracy": _metric((true_positive + true_negative) / len(labels)),
        "true_positive_rate": _metric(recall),
        "true_negative_rate": _metric(1 - fall_out),
        "false_positive_rate": _metric(fall_out),
        "false_negative_rate": _metric(1 - recall),
        "auc": _metric(roc_auc(labels, scores), auc_deviation(labels, scores)),
        "f0_5": _metric(_f_score(precision, recall, 0.5)),
        "f1": _metric(_f_score(precision, recall, 1)),
        "f2": _metric(_f_score(precision, recall, 2)),
        **curves(labels, scores),
    }
    return {"dataset": {"item_count": len(labels)}, "binary_classification_metrics": metrics}


def _metric(value: float, deviation: float | None = None) -> dict[str, Any]:
    # "NaN" is the schema's own word for a deviation that was not computed.
    return {"value": value, "standard_deviation": "NaN" if deviation is None else deviation}


def _f_score(precision: float, recall: float, beta: float) -> float:
    weight = beta * beta
    return (1 + weight) * precision * recall / max(weight * precision + recall, 1e-12)


def auc_deviation(labels: Labels, scores: Scores) -> float:
    """Return the standard deviation of the ROC AUC (DeLong, DeLong and Clarke-Pearson 1988)."""
    variance = 0.0
    for group, others in ((labels, ~labels), (~labels, labels)):
        reference, own = np.sort(scores[others]), scores[group]
        below = np.searchsorted(reference, own, "left") + np.searchsorted(reference, own, "right")
        variance += float(np.var(below / (2 * len(reference)), ddof=1)) / len(own) if len(own) > 1 else 0.0
    return float(np.sqrt(variance))


def curves(labels: Labels, scores: Scores) -> dict[str, dict[str, list[float]]]:
    """Return the ROC and precision-recall curves, thinned to CURVE_POINTS thresholds."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    # A threshold takes all rows of one score or none.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    kept = last[np.unique(np.linspace(0, len(last) - 1, CURVE_POINTS).round().astype(np.intp))]
    true_positives, flagged = hits[kept], kept + 1
    recalls = true_positives / hits[-1]
    false_positive_rates = (flagged - true_positives) / (len(labels) - hits[-1])
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0.0, *false_positive_rates.tolist()],
            "true_positive_rates": [0.0, *recalls.tolist()],
        },
        "precision_recall_curve": {
            "precisions": [1.0, *(true_positives / flagged).tolist()],
            "recalls": [0.0, *recalls.tolist()],
        },
    }


def evaluate(model_dir: Path, test_dir: Path, output_dir: Path, *, threshold: float | None = None) -> float:
    """Write evaluation.json and return the ROC AUC; with a threshold, raise GateRejected unless it is above.

    The features' importance has a file of its own beside it, for the report's schema has no place for it.
    """
    model = load_model(model_dir)
    document = report(*predict(model, test_dir))
    output_dir.mkdir(parents=True, exist_ok=True)
    _write(output_dir / "feature_importance.json", importance(model))
    _write(output_dir / "evaluation.json", document)
    auc: float = document["binary_classification_metrics"]["auc"]["value"]
    if threshold is not None and auc <= threshold:
        raise GateRejected(f"GateRejected: tuned model's ROC AUC {auc:.4f} is not above the threshold {threshold:g}")
    return auc


def _write(file: Path, document: dict[str, Any]) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path("/opt/ml/processing/input/model"))
    parser.add_argument("--test-dir", type=Path, default=Path("/opt/ml/processing/input/test"))
    parser.add_argument("--output-dir", type=Path, default=Path("/opt/ml/processing/output/evaluation"))
    parser.add_argument("--threshold", type=float, help="fail unless the ROC AUC is above this")
    parser.add_argument("--message-file", type=Path, default=Path("/opt/ml/output/message"))
    options = parser.parse_args(arguments)
    try:
        auc = evaluate(options.model_dir, options.test_dir, options.output_dir, threshold=options.threshold)
    except DataError as error:
        return report_failure(error, options.message_file)
    print(f"test ROC AUC {auc:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
