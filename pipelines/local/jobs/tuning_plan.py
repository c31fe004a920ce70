"""What a CreateHyperParameterTuningJob request asks for, read and checked."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.containers.xgboost_hyperparameters import METRICS
from pipelines.local.database import Document
from pipelines.local.errors import ValidationError
from pipelines.local.jobs.early_stopping import Halving, Median, Never, Rule
from pipelines.local.jobs.ranges import Numbers, Space, Words, read_ranges
from pipelines.local.jobs.requests import check_image
from pipelines.local.jobs.search import Strategy

CONFIG = "HyperParameterTuningJobConfig"
METRIC_HYPERPARAMETER = "_tuning_objective_metric"
HYPERPARAMETER_LIMIT = 100

# Where the service looks for the number of epochs if the request does not say it (HyperbandStrategyConfig).
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")

# What the service knows of the logs of the XGBoost images.
BUILT_IN_METRICS = tuple(f"validation:{name}" for name in METRICS)


@dataclass(frozen=True)
class Objective:
    """The metric that a tuning job makes high or low.

    `definitions` are the request's own of it, of Name and Regex; the XGBoost images have some that need none.
    """

    metric: str
    maximize: bool
    definitions: tuple[Mapping[str, str], ...]
    xgboost: bool

    def score(self, value: float) -> float:
        """Return a value of the metric as a number that is better when it is higher."""
        return value if self.maximize else -value


@dataclass(frozen=True)
class TrialDefinition:
    """One definition of training jobs: what its trials share, and what is tuned."""

    name: str | None
    request: Document
    objective: Objective
    space: Space

    def training_request(self, tuned: Mapping[str, str]) -> Document:
        """Return the CreateTrainingJob request of a trial, without its name."""
        hyperparameters = {**self.request["HyperParameters"], **tuned}
        return {**self.request, "HyperParameters": hyperparameters}


@dataclass(frozen=True)
class Limits:
    """When a tuning job ends: `target` and `not_improving` look at the objective, `seconds` at the clock."""

    trials: int
    parallel: int
    seconds: float | None
    target: float | None
    not_improving: int | None


@dataclass(frozen=True)
class Plan:
    """A tuning job's request, checked."""

    strategy: Strategy
    definitions: tuple[TrialDefinition, ...]
    limits: Limits
    rule: Rule
    seed: int
    parents: tuple[str, ...]

    @property
    def maximize(self) -> bool:
        """Whether the objective is to be high."""
        return self.definitions[0].objective.maximize


def read_plan(request: Document) -> Plan:
    """Read a request that has passed the service model's own checks.

    Raises:
        ValidationError: something in it is contradictory, or is not done on this machine.
    """
    if "Autotune" in request:
        raise ValidationError("Autotune is not done on this machine: leave it out, and give ParameterRanges.")
    config = request[CONFIG]
    definitions = _definitions(request)
    _check_strategy(config, definitions)
    return Plan(
        strategy=config["Strategy"],
        definitions=definitions,
        limits=_limits(config, definitions),
        rule=_rule(config, definitions),
        seed=_seed(config, definitions),
        parents=_parents(request),
    )


def _definitions(request: Document) -> tuple[TrialDefinition, ...]:
    single, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    if (single is None) == (several is None):
        raise ValidationError("A tuning job has either TrainingJobDefinition or TrainingJobDefinitions.")
    if single is not None:
        return (_definition(single, request[CONFIG], "TrainingJobDefinition"),)
    definitions = tuple(
        _definition(one, {}, f"TrainingJobDefinitions[{index}]") for index, one in enumerate(several or ())
    )
    names = [definition.name for definition in definitions]
    if None in names or len(set(names)) != len(names):
        raise ValidationError("Each of TrainingJobDefinitions must have a DefinitionName of its own.")
    if len({definition.objective.maximize for definition in definitions}) > 1:
        raise ValidationError("The TuningObjective of all TrainingJobDefinitions must have the same Type.")
    return definitions


def _definition(source: Document, config: Document, where: str) -> TrialDefinition:
    """Read a definition; what it does not say itself, the job's config says."""
    objective = source.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if objective is None:
        place = f"{CONFIG}.HyperParameterTuningJobObjective" if config else f"{where}.TuningObjective"
        raise ValidationError(f"{place} is missing: it names the metric to tune by.")
    if "HyperParameterRanges" in source or not config:
        space = read_ranges(source.get("HyperParameterRanges", {}), f"{where}.HyperParameterRanges")
    else:
        space = read_ranges(config.get("ParameterRanges", {}), f"{CONFIG}.ParameterRanges")
    static = source.get("StaticHyperParameters", {})
    both = sorted(static.keys() & {one.name for one in space})
    if both:
        raise ValidationError(f"{where}.StaticHyperParameters has {', '.join(both)}, which are to be tuned, too.")
    if len(static) + len(space) + 1 > HYPERPARAMETER_LIMIT:
        raise ValidationError(f"{where} has more than {HYPERPARAMETER_LIMIT - 1} hyperparameters.")
    return TrialDefinition(
        source.get("DefinitionName"),
        _training_request(source, {**static, METRIC_HYPERPARAMETER: objective["MetricName"]}, where),
        _objective(objective, source["AlgorithmSpecification"], where),
        space,
    )


def _objective(objective: Document, algorithm: Document, where: str) -> Objective:
    metric = objective["MetricName"]
    definitions: list[dict[str, str]] = algorithm.get("MetricDefinitions", [])
    xgboost = check_image(algorithm.get("TrainingImage"), f"{where}.AlgorithmSpecification.TrainingImage") == "xgboost"
    known = [*(one["Name"] for one in definitions), *(BUILT_IN_METRICS if xgboost else ())]
    if metric not in known:
        raise ValidationError(
            f"The objective metric '{metric}' is not in {where}.AlgorithmSpecification.MetricDefinitions; "
            f"known are {', '.join(known) or 'none'}."
        )
    own = tuple(one for one in definitions if one["Name"] == metric)
    for one in own:
        _check_pattern(metric, one["Regex"])
    return Objective(metric, objective["Type"] == "Maximize", own, xgboost)


def _check_pattern(metric: str, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValidationError(f"The Regex '{pattern}' of the metric '{metric}' is not valid: {error}.") from error
    if not groups:
        raise ValidationError(f"The Regex '{pattern}' of the metric '{metric}' has no group (...) around the value.")


def _training_request(source: Document, hyperparameters: Mapping[str, str], where: str) -> Document:
    left_out = ("DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters")
    request = {name: value for name, value in source.items() if name not in left_out}
    flexible = request.pop("HyperParameterTuningResourceConfig", None)
    if (flexible is None) == ("ResourceConfig" not in request):
        raise ValidationError(f"{where} has either ResourceConfig or HyperParameterTuningResourceConfig.")
    if flexible is not None:
        first = flexible.get("InstanceConfigs", [flexible])[0]
        request["ResourceConfig"] = {
            name: value
            for name, value in {**flexible, **first}.items()
            if name not in ("InstanceConfigs", "AllocationStrategy")
        }
    return {**request, "HyperParameters": dict(hyperparameters)}


def _check_strategy(config: Document, definitions: tuple[TrialDefinition, ...]) -> None:
    strategy = config["Strategy"]
    if "StrategyConfig" in config and strategy != "Hyperband":
        raise ValidationError(f"{CONFIG}.StrategyConfig is for the strategy Hyperband; the strategy is {strategy}.")
    if strategy == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationError(
            "TrainingJobEarlyStoppingType must be Off for Hyperband, which stops jobs early by itself."
        )
    numbers = [one.name for definition in definitions for one in definition.space if isinstance(one, Numbers)]
    if strategy == "Grid" and numbers:
        raise ValidationError(
            f"The strategy Grid takes categorical ranges only; make {', '.join(numbers)} categorical, with the values "
            "to try."
        )


def _limits(config: Document, definitions: tuple[TrialDefinition, ...]) -> Limits:
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    if "ConvergenceDetected" in criteria:
        raise ValidationError(
            "TuningJobCompletionCriteria.ConvergenceDetected is not done here; use BestObjectiveNotImproving."
        )
    patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    return Limits(
        trials=_number_of_trials(config, definitions),
        parallel=limits["MaxParallelTrainingJobs"],
        seconds=limits.get("MaxRuntimeInSeconds"),
        target=criteria.get("TargetObjectiveMetricValue"),
        not_improving=patience,
    )


def _number_of_trials(config: Document, definitions: tuple[TrialDefinition, ...]) -> int:
    asked: int | None = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        if len(definitions) > 1:
            raise ValidationError("The strategy Grid takes one TrainingJobDefinition on this machine.")
        words = [len(one.words) for one in definitions[0].space if isinstance(one, Words)]
        combinations = math.prod(words)
        if asked not in (None, combinations):
            raise ValidationError(
                f"MaxNumberOfTrainingJobs is {asked}, but the grid has {combinations} combinations "
                f"({' x '.join(map(str, words))}); leave it out, or make it {combinations}."
            )
        return combinations
    if asked is None:
        raise ValidationError(
            f"{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs must be given, but for the strategy Grid."
        )
    return asked


def _rule(config: Document, definitions: tuple[TrialDefinition, ...]) -> Rule:
    if config["Strategy"] != "Hyperband":
        return Median() if config.get("TrainingJobEarlyStoppingType") == "Auto" else Never()
    resources = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    first, last = resources.get("MinResource", 1), resources.get("MaxResource")
    if last is None:
        static = definitions[0].request["HyperParameters"]
        last = next((int(static[name]) for name in EPOCHS if static.get(name, "").isdecimal()), None)
    if last is None or last < first:
        raise ValidationError(
            f"Hyperband needs {CONFIG}.StrategyConfig.HyperbandStrategyConfig.MaxResource, not below MinResource "
            f"({first}), or one of the static hyperparameters {', '.join(EPOCHS)}; it is {last}."
        )
    return Halving(first, last)


def _seed(config: Document, definitions: tuple[TrialDefinition, ...]) -> int:
    """Return the seed that was asked for, or one that is the same wherever the same search runs."""
    if "RandomSeed" in config:
        return int(config["RandomSeed"])
    search = [config["Strategy"], [(one.objective.metric, repr(one.space)) for one in definitions]]
    return int.from_bytes(hashlib.sha256(json.dumps(search).encode()).digest()[:4])


def _parents(request: Document) -> tuple[str, ...]:
    parents: list[dict[str, Any]] = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return tuple(parent.get("HyperParameterTuningJobName", "") for parent in parents)
