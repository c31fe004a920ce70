"""What Evaluate tells of the features, in a file beside the report."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

import evaluate
from columns import Column, Schema
from inference import Model

NAMES = ["noise", "signal", "constant"]


@pytest.fixture(scope="module")
def model() -> Model:
    """A model of which only one feature can tell anything."""
    random = np.random.default_rng(7)
    values = np.column_stack([random.random(200), random.random(200), np.ones(200)])
    data = xgb.DMatrix(values, label=values[:, 1] > 0.5, feature_names=NAMES)
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, num_boost_round=5)
    columns = tuple(Column(name, "number") for name in NAMES)
    return Model(booster, Schema({"claims": columns}, "id", "fraud"))


def test_importance_is_every_features_part_of_the_gain_the_greatest_first(model: Model) -> None:
    parts = evaluate.importance(model)["feature_importance"]
    assert next(iter(parts)) == "signal"
    assert set(parts) == set(NAMES)
    assert sum(parts.values()) == pytest.approx(1)
    assert parts["signal"] > 0.9
    assert parts["constant"] == 0


def test_a_model_without_a_split_has_no_importance(model: Model) -> None:
    data = xgb.DMatrix(np.ones((4, 3)), label=[0, 1, 0, 1], feature_names=NAMES)
    flat = Model(xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=1), model.schema)
    assert evaluate.importance(flat) == {"feature_importance": dict.fromkeys(NAMES, 0.0)}


def test_the_report_keeps_its_schema(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, scores = np.array([True, False, True]), np.array([0.9, 0.2, 0.6], np.float32)
    monkeypatch.setattr(evaluate, "load_model", lambda _: model)
    monkeypatch.setattr(evaluate, "predict", lambda *_: (labels, scores))
    evaluate.evaluate(tmp_path, tmp_path, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["evaluation.json", "feature_importance.json"]
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(document) == {"dataset", "binary_classification_metrics"}
