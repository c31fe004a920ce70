"""Tuning requests that are refused at once, with the place and the way out, and with nothing written."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from pipelines.local.errors import ResourceInUse, ValidationError
from pipelines.local.jobs import tuning
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.tuning_plan import read_plan
from tests.local.documents import BUCKET, XGBOOST
from tests.local.jobs.tuning_requests import (
    grid_request,
    make_machine,
    nothing_was_written,
    numbers,
    script_definition,
    tuning_request,
    words,
    xgboost_request,
)

Json = dict[str, Any]
CONFIG = "HyperParameterTuningJobConfig"
DEFINITION = "TrainingJobDefinition"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = make_machine(tmp_path / "root", Host())
    yield made
    made.database.close()


def several(*changes: Json) -> Json:
    """Return a request with a definition for each of some changes to one."""
    request = tuning_request()
    objective = request[CONFIG].pop("HyperParameterTuningJobObjective")
    ranges = request[CONFIG].pop("ParameterRanges")
    del request[DEFINITION]
    definition = {**script_definition(), "TuningObjective": objective, "HyperParameterRanges": ranges}
    request["TrainingJobDefinitions"] = [
        {
            key: value
            for key, value in {**definition, "DefinitionName": f"d{index}", **change}.items()
            if value is not None
        }
        for index, change in enumerate(changes)
    ]
    return request


def changed(place: str, value: Any, request: Json | None = None) -> Json:
    """Return a request with another value at a dotted place; None removes it."""
    result = deepcopy(request or tuning_request())
    *path, last = place.split(".")
    inner = result
    for name in path:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return result


ALGORITHM = f"{DEFINITION}.AlgorithmSpecification"
MINIMIZED = {"Type": "Minimize", "MetricName": "score"}
WRONG: dict[str, tuple[Json, str]] = {
    "unknown member": (changed("Magic", 1), 'Unknown parameter in input: "Magic"'),
    "wrong type": (changed(f"{CONFIG}.ResourceLimits.MaxParallelTrainingJobs", "2"), "Invalid type for parameter"),
    "wrong enum": (
        changed(f"{CONFIG}.Strategy", "Genetic"),
        "Value 'Genetic' at HyperParameterTuningJobConfig.Strategy",
    ),
    "no definition": (changed(DEFINITION, None), "either TrainingJobDefinition or TrainingJobDefinitions"),
    "autotune": (changed("Autotune", {"Mode": "Enabled"}), "Autotune is not done on this machine"),
    "no objective": (
        changed(f"{CONFIG}.HyperParameterTuningJobObjective", None),
        "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective is missing",
    ),
    "unknown objective": (
        changed(f"{CONFIG}.HyperParameterTuningJobObjective.MetricName", "magic"),
        "The objective metric 'magic' is not in TrainingJobDefinition.AlgorithmSpecification.MetricDefinitions; "
        "known are score.",
    ),
    "objective unknown to xgboost": (
        changed(f"{CONFIG}.HyperParameterTuningJobObjective.MetricName", "validation:magic", xgboost_request()),
        "known are validation:accuracy, validation:auc,",
    ),
    "broken regex": (
        changed(f"{ALGORITHM}.MetricDefinitions", [{"Name": "score", "Regex": "score=("}]),
        "The Regex 'score=(' of the metric 'score' is not valid",
    ),
    "regex without a group": (
        changed(f"{ALGORITHM}.MetricDefinitions", [{"Name": "score", "Regex": "score"}]),
        "The Regex 'score' of the metric 'score' has no group",
    ),
    "no image": (changed(f"{ALGORITHM}.TrainingImage", None), "AlgorithmSpecification.TrainingImage is missing"),
    "unknown image": (changed(f"{ALGORITHM}.TrainingImage", "tensorflow:2"), "Image 'tensorflow:2' does not run"),
    "empty range": (
        changed(f"{CONFIG}.ParameterRanges", {"ContinuousParameterRanges": [numbers("x", "1", "1")]}),
        "ParameterRanges.ContinuousParameterRanges['x'] has MinValue 1 and MaxValue 1",
    ),
    "no ranges": (changed(f"{CONFIG}.ParameterRanges", None), "ParameterRanges has 0 hyperparameters to tune"),
    "static and tuned": (
        changed(f"{DEFINITION}.StaticHyperParameters.x", "1"),
        "TrainingJobDefinition.StaticHyperParameters has x, which are to be tuned, too.",
    ),
    "too many hyperparameters": (
        changed(f"{DEFINITION}.StaticHyperParameters", {f"h{index}": "1" for index in range(99)}),
        "TrainingJobDefinition has more than 99 hyperparameters",
    ),
    "no resources": (
        changed(f"{DEFINITION}.ResourceConfig", None),
        "either ResourceConfig or HyperParameterTuningResourceConfig",
    ),
    "two instances": (changed(f"{DEFINITION}.ResourceConfig.InstanceCount", 2), "InstanceCount is 2"),
    "no number of trials": (tuning_request(trials=None), "ResourceLimits.MaxNumberOfTrainingJobs must be given"),
    "grid of numbers": (tuning_request("Grid", trials=None), "Grid takes categorical ranges only; make x categorical"),
    "grid of another size": (
        changed(f"{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs", 5, grid_request("1", "2", "3")),
        "MaxNumberOfTrainingJobs is 5, but the grid has 3 combinations (3); leave it out, or make it 3.",
    ),
    "hyperband without an end": (tuning_request("Hyperband"), "Hyperband needs HyperParameterTuningJobConfig.Strategy"),
    "hyperband that ends before it begins": (
        tuning_request("Hyperband", StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 3}}),
        "MaxResource, not below MinResource (9)",
    ),
    "hyperband with early stopping": (
        tuning_request("Hyperband", TrainingJobEarlyStoppingType="Auto"),
        "TrainingJobEarlyStoppingType must be Off for Hyperband",
    ),
    "hyperband's settings elsewhere": (
        tuning_request("Random", StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 3}}),
        "StrategyConfig is for the strategy Hyperband; the strategy is Random.",
    ),
    "convergence": (
        tuning_request(TuningJobCompletionCriteria={"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}),
        "ConvergenceDetected is not done here",
    ),
    "impatience": (
        tuning_request(
            TuningJobCompletionCriteria={"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 2}}
        ),
        "MaxNumberOfTrainingJobsNotImproving, value: 2, valid min value: 3",
    ),
    "definitions without names": (several({"DefinitionName": None}, {}), "must have a DefinitionName of its own"),
    "definitions of one name": (several({}, {"DefinitionName": "d0"}), "must have a DefinitionName of its own"),
    "definitions that disagree": (several({}, {"TuningObjective": MINIMIZED}), "must have the same Type"),
    "definition without objective": (
        several({}, {"TuningObjective": None}),
        "TrainingJobDefinitions[1].TuningObjective is missing",
    ),
    "unknown parent": (
        changed(
            "WarmStartConfig",
            {
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "nobody"}],
                "WarmStartType": "TransferLearning",
            },
        ),
        "ParentHyperParameterTuningJobs: nobody does not exist on this machine.",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_request_is_refused_and_nothing_is_written(machine: Machine, mistake: str) -> None:
    request, reason = WRONG[mistake]
    with pytest.raises(ValidationError) as error:
        tuning.create(machine, "tune", request)
    assert reason in error.value.message
    assert "\n" not in error.value.message
    assert nothing_was_written(machine)


@pytest.mark.parametrize("name", ["under_score", "-dash", "x" * 33])
def test_a_name_that_the_service_refuses_is_refused(machine: Machine, name: str) -> None:
    with pytest.raises(ValidationError, match="HyperParameterTuningJobName"):
        tuning.create(machine, name, tuning_request())
    assert nothing_was_written(machine)


def test_a_name_is_taken_once(machine: Machine) -> None:
    first = tuning.create(machine, "tune", tuning_request())
    with pytest.raises(ResourceInUse, match="tune already exists"):
        tuning.create(machine, "tune", grid_request("1", "2"))
    assert machine.database.list(tuning.KIND) == [first]


def warm_start(parent: str) -> Json:
    parents = [{"HyperParameterTuningJobName": parent}]
    return {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "TransferLearning"}


def stopped(machine: Machine, name: str, request: Json) -> None:
    """Create a job, and stop it before its first trial."""
    tuning.create(machine, name, request)
    stop = Stop()
    stop.set()
    tuning.run(machine, name, stop)


def begun(machine: Machine) -> None:
    tuning.create(machine, "parent", tuning_request())


def warm_started(machine: Machine) -> None:
    stopped(machine, "grandparent", tuning_request())
    stopped(machine, "parent", {**tuning_request(), "WarmStartConfig": warm_start("grandparent")})


def with_another_objective(machine: Machine) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    request = changed(f"{ALGORITHM}.MetricDefinitions", metrics)
    stopped(machine, "parent", changed(f"{CONFIG}.HyperParameterTuningJobObjective.MetricName", "loss", request))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (begun, "parent is InProgress; wait until it has ended."),
        (warm_started, "parent was warm-started itself"),
        (with_another_objective, "parent has the objective loss, this job has score."),
    ],
)
def test_a_parent_that_cannot_be_one_is_refused(machine: Machine, make: Callable[[Machine], None], reason: str) -> None:
    make(machine)
    before = machine.database.list(tuning.KIND)
    with pytest.raises(ValidationError) as error:
        tuning.create(machine, "tune", {**tuning_request(), "WarmStartConfig": warm_start("parent")})
    assert reason in error.value.message
    assert machine.database.list(tuning.KIND) == before


def test_flexible_resources_become_one_instance() -> None:
    flexible = {
        "InstanceConfigs": [
            {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        ],
        "AllocationStrategy": "Prioritized",
    }
    request = changed(f"{DEFINITION}.HyperParameterTuningResourceConfig", flexible)
    plan = read_plan(changed(f"{DEFINITION}.ResourceConfig", None, request))
    training = plan.definitions[0].training_request({"x": "1"})
    assert training["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    assert training["HyperParameters"]["x"] == "1"
    assert "HyperParameterTuningResourceConfig" not in training


def test_the_number_of_epochs_is_found_in_the_static_hyperparameters() -> None:
    request = tuning_request("Hyperband")
    request[DEFINITION] = script_definition(epochs="27")
    limits = [read_plan(request).rule.limit(step, [(0.5,) * 30] * 3) for step in range(30)]
    assert [step + 1 for step, limit in enumerate(limits) if limit is not None] == [1, 3, 9]


def test_the_seed_depends_on_the_search_and_not_on_places_or_limits() -> None:
    request = tuning_request()
    seed = read_plan(request).seed
    elsewhere = changed(f"{DEFINITION}.OutputDataConfig.S3OutputPath", f"s3://{BUCKET}/elsewhere", request)
    longer = changed(f"{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs", 50, request)
    other = changed(f"{CONFIG}.ParameterRanges", {"CategoricalParameterRanges": [words("x", "1", "2")]}, request)
    assert read_plan(elsewhere).seed == read_plan(longer).seed == seed
    assert read_plan(other).seed != seed
    assert read_plan(changed(f"{CONFIG}.RandomSeed", 7, request)).seed == 7


def test_a_metric_of_the_request_goes_before_one_that_is_built_in() -> None:
    request = xgboost_request()
    own = {"Name": "validation:auc", "Regex": "my auc is (.*)"}
    request[DEFINITION]["AlgorithmSpecification"] = {
        "TrainingImage": XGBOOST,
        "TrainingInputMode": "File",
        "MetricDefinitions": [own],
    }
    assert read_plan(request).definitions[0].objective.definitions == (own,)
