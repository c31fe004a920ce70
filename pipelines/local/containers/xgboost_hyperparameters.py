"""The hyperparameters of XGBoost as a built-in algorithm, checked as SageMaker's container checks them.

Names, types, ranges and rules are those of aws/sagemaker-xgboost-container (algorithm mode, commit cb8df91).
Standalone: it runs beside `xgboost_algorithm.py`, where this package is not installed.
"""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# fmt: off
MAXIMIZED_METRICS = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro",
)
MINIMIZED_METRICS = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy",
    "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle",
    "tweedie-nloglik",
)
OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
    "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma",
    "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox",
)
UPDATERS = (
    "grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "grow_quantile_histmaker", "sync", "refresh",
    "prune", "shotgun", "coord_descent",
)
# fmt: on
METRICS = MAXIMIZED_METRICS + MINIMIZED_METRICS
METRICS_WITH_THRESHOLD = ("error", "ndcg", "map")


class UserError(Exception):
    """What the user asked for, or the user's data, is not as it must be."""


@dataclass(frozen=True)
class Kind:
    """What a hyperparameter may be: how its text is read (ValueError: not at all), and which values are in range."""

    read: Callable[[str], Any]
    allows: Callable[[Any], bool]
    allowed: str


def _number(parse: Callable[[str], float], low: float, high: float = math.inf, *, open_ends: str = "") -> Kind:
    """Return the kind of a number between two limits; `open_ends`, of "(" and ")", are limits that are not allowed."""

    def allows(value: float) -> bool:
        at_open_end = ("(" in open_ends and value == low) or (")" in open_ends and value == high)
        return math.isfinite(value) and low <= value <= high and not at_open_end

    left, right = "(" if "(" in open_ends else "[", ")" if ")" in open_ends or math.isinf(high) else "]"
    return Kind(parse, allows, f"{left}{low}, {high}{right}")


def _choice(words: Sequence[str]) -> Kind:
    return Kind(str, lambda value: value in words, f"({', '.join(words)})")


def _list(words: Sequence[str], allows_one: Callable[[str], bool]) -> Kind:
    return Kind(
        lambda text: [word.strip() for word in text.split(",")],
        lambda values: all(allows_one(value) for value in values),
        f"({', '.join(words)}), with commas between",
    )


def _constraints(low: int, high: float) -> Kind:
    """Return the kind of a tuple or list of whole numbers, or a list of such lists; its value is the text itself."""

    def read(text: str) -> str:
        try:
            _whole_numbers(ast.literal_eval(text))
        except (SyntaxError, TypeError) as error:
            raise ValueError(text) from error
        return text

    def allows(text: str) -> bool:
        return all(low <= number <= high for number in _whole_numbers(ast.literal_eval(text)))

    return Kind(read, allows, f"lists of whole numbers in [{low}, {high}]")


def _whole_numbers(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value]
    if isinstance(value, list | tuple):
        return [number for part in value for number in _whole_numbers(part)]
    raise TypeError(value)


def _is_metric(text: str) -> bool:
    name, at, threshold = text.partition("@")
    if not at:
        return name in METRICS
    return name in METRICS_WITH_THRESHOLD and _is_number(threshold)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


SWITCH = _number(int, 0, 1)
COUNT = _number(int, 1)
NOT_NEGATIVE = _number(float, 0)
SHARE = _number(float, 0, 1)
POSITIVE_SHARE = _number(float, 0, 1, open_ends="(")
TRUE_OR_FALSE = _choice(("true", "false"))

KINDS: dict[str, Kind] = {
    "num_round": COUNT,
    "csv_weights": SWITCH,
    "early_stopping_rounds": COUNT,
    "booster": _choice(("gbtree", "gblinear", "dart")),
    "verbosity": _number(int, 0, 3),
    "nthread": COUNT,
    "eta": SHARE,
    "gamma": NOT_NEGATIVE,
    "max_depth": _number(int, 0),
    "min_child_weight": NOT_NEGATIVE,
    "max_delta_step": NOT_NEGATIVE,
    "subsample": POSITIVE_SHARE,
    "colsample_bytree": POSITIVE_SHARE,
    "colsample_bylevel": POSITIVE_SHARE,
    "colsample_bynode": POSITIVE_SHARE,
    "lambda": NOT_NEGATIVE,
    "alpha": NOT_NEGATIVE,
    "tree_method": _choice(("auto", "exact", "approx", "hist")),
    "sketch_eps": _number(float, 0, 1, open_ends="()"),
    "scale_pos_weight": _number(float, 0, open_ends="("),
    "updater": _list(UPDATERS, UPDATERS.__contains__),
    "dsplit": _choice(("row", "col")),
    "refresh_leaf": SWITCH,
    "process_type": _choice(("default", "update")),
    "grow_policy": _choice(("depthwise", "lossguide")),
    "max_leaves": _number(int, 0),
    "max_bin": _number(int, 0),
    "predictor": _choice(("auto", "cpu_predictor")),
    "monotone_constraints": _constraints(-1, 1),
    "interaction_constraints": _constraints(1, math.inf),
    "sample_type": _choice(("uniform", "weighted")),
    "normalize_type": _choice(("tree", "forest")),
    "rate_drop": SHARE,
    "one_drop": SWITCH,
    "skip_drop": SHARE,
    "lambda_bias": SHARE,
    "tweedie_variance_power": _number(float, 1, 2, open_ends="()"),
    "objective": _choice(OBJECTIVES),
    "num_class": _number(int, 2),
    "base_score": NOT_NEGATIVE,
    "_tuning_objective_metric": _choice([f"validation:{name}" for name in METRICS]),
    "eval_metric": _list((*METRICS, *(f"{name}@<number>" for name in METRICS_WITH_THRESHOLD)), _is_metric),
    "seed": _number(int, -(2**31), 2**31 - 1, open_ends="()"),
    "num_parallel_tree": COUNT,
    "save_model_on_termination": TRUE_OR_FALSE,
    "aft_loss_distribution": _choice(("normal", "logistic", "extreme")),
    "aft_loss_distribution_scale": NOT_NEGATIVE,
    "deterministic_histogram": TRUE_OR_FALSE,
    "sampling_method": _choice(("uniform", "gradient_based")),
    "prob_buffer_row": _number(int, 1, open_ends="("),
    "use_dask_gpu_training": _choice(("false",)),
}
ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
NOT_ON_THIS_MACHINE = {
    "_kfold": "cross-validation",
    "_num_cv_round": "cross-validation",
    "tree_method=gpu_hist": "training on GPUs",
    "predictor=gpu_predictor": "training on GPUs",
    "use_dask_gpu_training=true": "training on GPUs",
}
CONSTRAINTS = {"monotone_constraints": ("exact", "hist"), "interaction_constraints": ("exact", "hist", "approx")}


def read_hyperparameters(raw: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that a job's hyperparameters stand for, by the names that XGBoost has for them.

    Raises:
        UserError: one is unknown, missing, unreadable, out of range, or does not go with the others.
    """
    given = {ALIASES.get(name, name): text for name, text in raw.items()}
    values = {name: _read_one(name, text) for name, text in given.items()}
    if "num_round" not in values:
        raise UserError("Missing required hyperparameter: num_round")
    _check_objective(values)
    _check_constraints(values)
    return values


def _read_one(name: str, text: str) -> Any:
    feature = NOT_ON_THIS_MACHINE.get(name) or NOT_ON_THIS_MACHINE.get(f"{name}={text}")
    if feature:
        raise UserError(f"Hyperparameter {name}: {feature} does not run on this machine; leave it out, or use AWS")
    kind = KINDS.get(name)
    if kind is None:
        known = ", ".join(known for known in KINDS if not known.startswith("_"))
        raise UserError(f"Extraneous hyperparameter found: {name}; XGBoost as a built-in algorithm knows {known}")
    try:
        value = kind.read(text)
    except ValueError as error:
        raise UserError(f"Hyperparameter {name}: could not parse value '{text}'; allowed is {kind.allowed}") from error
    if not kind.allows(value):
        raise UserError(f"Hyperparameter {name}: {text} is not in {kind.allowed}")
    return value


def _check_objective(values: Mapping[str, Any]) -> None:
    objective = values.get("objective", "reg:squarederror")
    metrics = values.get("eval_metric", [])
    if objective.startswith("multi:") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserError(
            f"Metric 'auc' can only be applied for classification and ranking problems; the objective is {objective}"
        )
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _check_constraints(values: Mapping[str, Any]) -> None:
    for name, methods in CONSTRAINTS.items():
        if name in values and values.get("tree_method") not in methods:
            raise UserError(f"{name} can be used only when the tree_method parameter is set to {' or '.join(methods)}")
