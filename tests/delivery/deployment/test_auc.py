"""The area under the curve is scikit-learn's."""

import random

import pytest
from sklearn.metrics import roc_auc_score

from pipelines.delivery.deployment.auc import roc_auc


@pytest.mark.parametrize("digits", [1, 2, 17], ids=["many ties", "some ties", "none"])
@pytest.mark.parametrize("count", [2, 3, 50, 3000])
def test_it_is_that_of_sklearn(count: int, digits: int) -> None:
    chance = random.Random(count * digits)
    labels = [1, 0, *(int(chance.random() < 0.2) for _ in range(count - 2))]
    scores = [round(chance.random() * 0.7 + 0.3 * label * chance.random(), digits) for label in labels]
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([0.1, 0.2, 0.8, 0.9], 1.0), ([0.9, 0.8, 0.2, 0.1], 0.0), ([0.5] * 4, 0.5), ([0.1, 0.4, 0.4, 0.9], 0.875)],
)
def test_order_alone_counts_and_equal_scores_count_half(scores: list[float], expected: float) -> None:
    assert roc_auc([0, 0, 1, 1], scores) == expected
