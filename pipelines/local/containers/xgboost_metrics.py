"""The metrics that SageMaker's XGBoost container adds to XGBoost's own.

Standalone: it runs beside `xgboost_algorithm.py`, where this package is not installed. Unlike the container, which
takes every probability above 0 for the positive class, these metrics put the limit at 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipelines.local.containers.xgboost_hyperparameters import UserError
else:
    # The folder of the script is on the path, this package is not.
    from xgboost_hyperparameters import UserError

Array = np.ndarray[Any, Any]


class Confusion:
    """How often each class was predicted, was true, and was both; classes are those that occur in either."""

    def __init__(self, labels: Array, predicted: Array) -> None:
        self.classes = np.union1d(labels, predicted)
        size = len(self.classes)
        self.hits = self._count(labels[labels == predicted], size)
        self.actual = self._count(labels, size)
        self.predicted = self._count(predicted, size)
        self.accuracy = float(self.hits.sum() / max(1, len(labels)))

    def _count(self, values: Array, size: int) -> Array:
        return np.bincount(np.searchsorted(self.classes, values), minlength=size)

    def precision(self) -> Array:
        """Return, by class, how much of what was predicted is true."""
        scores: Array = self.hits / np.maximum(self.predicted, 1)
        return scores

    def recall(self) -> Array:
        """Return, by class, how much of what is true was predicted."""
        scores: Array = self.hits / np.maximum(self.actual, 1)
        return scores

    def f1(self) -> Array:
        """Return, by class, the harmonic mean of precision and recall."""
        scores: Array = 2 * self.hits / np.maximum(self.actual + self.predicted, 1)
        return scores

    def of_positives(self, scores: Array) -> float:
        """Return the score of class 1, where there are only classes 0 and 1."""
        if not set(self.classes) <= {0.0, 1.0}:
            raise UserError("Target is multiclass but average='binary'; use the _macro or _micro metric instead")
        return float(scores[self.classes == 1].sum())


OF_CLASSES: dict[str, Callable[[Confusion], float]] = {
    "accuracy": lambda confusion: confusion.accuracy,
    "balanced_accuracy": lambda confusion: float(confusion.recall()[confusion.actual > 0].mean()),
    "f1": lambda confusion: float(confusion.f1().mean()),
    "f1_macro": lambda confusion: float(confusion.f1().mean()),
    "f1_binary": lambda confusion: confusion.of_positives(confusion.f1()),
    "precision": lambda confusion: confusion.of_positives(confusion.precision()),
    "precision_macro": lambda confusion: float(confusion.precision().mean()),
    "precision_micro": lambda confusion: confusion.accuracy,
    "recall": lambda confusion: confusion.of_positives(confusion.recall()),
    "recall_macro": lambda confusion: float(confusion.recall().mean()),
    "recall_micro": lambda confusion: confusion.accuracy,
}


def _mse(labels: Array, predictions: Array) -> float:
    return float(np.mean((labels - predictions) ** 2))


def _r2(labels: Array, predictions: Array) -> float:
    spread = float(np.var(labels))
    return 1 - _mse(labels, predictions) / spread if spread else 0.0


OF_NUMBERS: dict[str, Callable[[Array, Array], float]] = {"mse": _mse, "r2": _r2}
ADDED_METRICS = (*OF_CLASSES, *OF_NUMBERS)


def added_metrics(names: Sequence[str], objective: str) -> Callable[[Array, Any], list[tuple[str, float]]]:
    """Return the function that tells XGBoost the values of some added metrics, of predictions and a DMatrix."""

    def evaluate(predictions: Array, data: Any) -> list[tuple[str, float]]:
        labels = data.get_label()
        return [(name, _value(name, labels, predictions, objective)) for name in names]

    return evaluate


def _value(name: str, labels: Array, predictions: Array, objective: str) -> float:
    if name in OF_NUMBERS:
        return OF_NUMBERS[name](labels, predictions)
    return OF_CLASSES[name](Confusion(labels, _classes(predictions, objective)))


def _classes(predictions: Array, objective: str) -> Array:
    if predictions.ndim == 2:
        best: Array = np.argmax(predictions, axis=1)
        return best.astype(np.float32)
    if objective == "multi:softmax":
        return predictions
    limit = 0.0 if objective == "binary:logitraw" else 0.5
    return (predictions > limit).astype(np.float32)
