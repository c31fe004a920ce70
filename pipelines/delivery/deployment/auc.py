"""The area under the ROC curve, from the ranks of the scores."""

from collections.abc import Sequence
from itertools import groupby


def roc_auc(labels: Sequence[int], scores: Sequence[float]) -> float:
    """Return the probability that a row of label 1 scores higher than one of label 0; equal scores count half.

    There must be rows of both labels.
    """
    ranked = sorted(zip(scores, labels, strict=True))
    positives = sum(labels)
    negatives = len(labels) - positives
    # In halves, so that all sums are whole numbers, however many rows there are.
    doubled, before = 0, 0
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        tied = [label for _, label in group]
        ones = sum(tied)
        doubled += ones * (2 * before + (len(tied) - ones))
        before += len(tied) - ones
    return doubled / (2 * positives * negatives)
