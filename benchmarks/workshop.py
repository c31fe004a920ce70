"""The public workshop's training script, for comparison: one-hot columns, rounds by five-fold cross-validation.

Source: gonsoomoon-ml/SageMaker-Pipelines-Step-By-Step, phase01/src/xgboost_script.py (its hyperparameters) and the
ranges of phase01/3.1.HPO-Pipeline.ipynb. The final model is trained on all rows that are not test rows.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from sklearn.metrics import roc_auc_score

UNTUNED: dict[str, float] = {"max_depth": 3, "eta": 0.2, "min_child_weight": 1.0, "alpha": 0.0, "scale_pos_weight": 50}


@dataclass(frozen=True)
class Data:
    """The joined tables: one-hot features, labels and policy ids."""

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    ids: npt.NDArray[np.int64]


def read(folder: Path) -> Data:
    """Read and join claims.csv and customers.csv."""
    claims, customers = (pd.read_csv(folder / f"{name}.csv") for name in ("claims", "customers"))
    joined = customers.merge(claims, on="policy_id").fillna("missing")
    one_hot = pd.get_dummies(joined.drop(columns=["policy_id", "fraud"])).to_numpy(np.float32)
    return Data(one_hot, joined["fraud"].to_numpy(np.int8), joined["policy_id"].to_numpy(np.int64))


def _cross_validate(data: Data, rows: npt.NDArray[np.bool_], parameters: dict[str, float]) -> tuple[float, int]:
    result = xgb.cv(
        {**parameters, "objective": "binary:logistic", "nthread": 1},
        xgb.DMatrix(data.features[rows], label=data.labels[rows]),
        num_boost_round=100,
        nfold=5,
        early_stopping_rounds=10,
        metrics="auc",
        stratified=True,
        seed=0,
    )
    return float(result["test-auc-mean"].iloc[-1]), len(result)


def _test_auc(data: Data, test: npt.NDArray[np.bool_], parameters: dict[str, float], rounds: int) -> float:
    booster = xgb.train(
        {**parameters, "objective": "binary:logistic", "nthread": 1},
        xgb.DMatrix(data.features[~test], label=data.labels[~test]),
        rounds,
    )
    return float(roc_auc_score(data.labels[test], booster.predict(xgb.DMatrix(data.features[test]))))


def untuned(data: Data, test: npt.NDArray[np.bool_]) -> float:
    """Return the test ROC AUC with the script's default hyperparameters."""
    return _test_auc(data, test, UNTUNED, _cross_validate(data, ~test, UNTUNED)[1])


def tuned(data: Data, test: npt.NDArray[np.bool_], seed: str, *, trials: int) -> float:
    """Return the test ROC AUC of the best of random trials by cross-validated ROC AUC."""
    generator = random.Random(seed)
    best, best_parameters, best_rounds = -1.0, UNTUNED, 1
    for _ in range(trials):
        parameters = {
            "eta": generator.uniform(0, 1),
            "min_child_weight": generator.uniform(1, 10),
            "alpha": generator.uniform(0, 2),
            "max_depth": generator.randint(1, 10),
            "scale_pos_weight": 29,
        }
        auc, rounds = _cross_validate(data, ~test, parameters)
        if auc > best:
            best, best_parameters, best_rounds = auc, parameters, rounds
    return _test_auc(data, test, best_parameters, best_rounds)
