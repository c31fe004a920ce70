"""Reports as they may come: of the schema, of another one, and spoilt."""

from typing import Any

import pytest

from pipelines.delivery.report.quality import read_importance, read_quality, sample
from tests.delivery.report.examples import document


def test_a_report_of_two_classes_is_read_whole() -> None:
    quality = read_quality(document(0.9))
    assert quality
    assert (quality.items, quality.find("auc"), quality.base_rate) == (1000, 0.9, 0.09)
    assert quality.roc == ((0.0, 0.0), (0.1, 0.8), (1.0, 1.0))
    assert quality.precision_recall[1] == (0.6, 0.8)
    assert quality.confusion
    assert quality.confusion.share(1, 0) == pytest.approx(1 / 3)


def test_a_deviation_that_was_not_computed_is_none() -> None:
    quality = read_quality(document())
    assert quality
    assert {metric.name: metric.deviation for metric in quality.metrics} == {"auc": 0.02, "precision": None}


def test_regression_has_metrics_and_no_curves() -> None:
    quality = read_quality({"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}})
    assert quality
    assert (quality.find("mse"), quality.roc, quality.confusion, quality.base_rate) == (4.9, (), None, None)


def test_many_classes_have_no_base_rate() -> None:
    rows = {a: dict.fromkeys("abc", 1) for a in "abc"}
    quality = read_quality({"multiclass_classification_metrics": {"confusion_matrix": rows}})
    assert quality
    assert quality.confusion
    assert (quality.confusion.total, quality.base_rate) == (9, None)


@pytest.mark.parametrize("spoilt", [None, [], "text", 5, {}, {"binary_classification_metrics": 3}, {"loss": 0.3}])
def test_what_is_no_such_report_is_none(spoilt: object) -> None:
    assert read_quality(spoilt) is None


@pytest.mark.parametrize(
    "curve",
    [
        {"false_positive_rates": [0.0, 1.0], "true_positive_rates": [0.0]},
        {"false_positive_rates": [0.0], "true_positive_rates": [0.0]},
        {"false_positive_rates": [0.0, 1.5], "true_positive_rates": [0.0, 1.0]},
        {"false_positive_rates": [0.0, "1"], "true_positive_rates": [0.0, 1.0]},
        {"false_positive_rates": [0.0, float("nan")], "true_positive_rates": [0.0, 1.0]},
        {"false_positive_rates": [0.5] * 3000, "true_positive_rates": [0.5] * 3000},
        {"false_positive_rates": {}, "true_positive_rates": None},
        7,
    ],
)
def test_a_spoilt_curve_is_left_out_and_the_rest_stays(curve: object) -> None:
    spoilt = document()
    spoilt["binary_classification_metrics"]["receiver_operating_characteristic_curve"] = curve
    quality = read_quality(spoilt)
    assert quality
    assert (quality.roc, quality.find("auc")) == ((), 0.9)
    assert quality.precision_recall


@pytest.mark.parametrize(
    "matrix",
    [
        {"0": {"0": 1}},
        {"0": {"0": 1, "1": 2}, "1": {"0": 3}},
        {"0": {"0": -1, "1": 2}, "1": {"0": 3, "1": 4}},
        {str(n): {str(m): 1 for m in range(13)} for n in range(13)},
        [[1, 2], [3, 4]],
    ],
)
def test_a_spoilt_matrix_is_left_out(matrix: object) -> None:
    spoilt = document()
    spoilt["binary_classification_metrics"]["confusion_matrix"] = matrix
    quality = read_quality(spoilt)
    assert quality
    assert (quality.confusion, quality.base_rate) == (None, None)


def test_of_very_many_metrics_the_first_thousand_are_read() -> None:
    quality = read_quality({"regression_metrics": {f"m{number}": {"value": number} for number in range(200_000)}})
    assert quality
    assert [metric.name for metric in quality.metrics] == [f"m{number}" for number in range(1_000)]


def test_importance_is_parts_of_a_whole_in_order() -> None:
    found = read_importance({"feature_importance": {"b": 1, "a": 3, "c": 0}})
    assert found == (("a", 0.75), ("b", 0.25), ("c", 0.0))


@pytest.mark.parametrize(
    "spoilt", [None, {}, {"feature_importance": {"a": 0}}, {"feature_importance": {"a": -1, "b": 3}}]
)
def test_importance_that_makes_no_whole_is_none(spoilt: Any) -> None:
    assert read_importance(spoilt) == ()


def test_a_curve_is_read_between_its_points() -> None:
    curve = ((0.0, 0.0), (0.0, 0.4), (0.5, 0.8), (1.0, 1.0))
    assert sample(curve, 4) == pytest.approx([0.4, 0.6, 0.8, 0.9, 1.0])
