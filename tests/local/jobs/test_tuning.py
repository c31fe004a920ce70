"""Tuning jobs that run real training jobs side by side."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.parsers
import pytest
from botocore.validate import ParamValidator

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import training, tuning
from pipelines.local.jobs.machine import Machine
from tests.local.containers.test_xgboost_algorithm import as_csv, rows
from tests.local.documents import BUCKET
from tests.local.jobs.tuning_requests import (
    grid_request,
    make_machine,
    numbers,
    script_definition,
    tuned,
    tuning_request,
    values,
    words,
    xgboost_request,
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    made = Host()
    made.start()
    yield made
    made.close()


@pytest.fixture
def machine(tmp_path: Path, host: Host) -> Iterator[Machine]:
    made = make_machine(tmp_path / "root", host)
    yield made
    made.database.close()


@pytest.fixture
def other_machine(tmp_path: Path, host: Host) -> Iterator[Machine]:
    made = make_machine(tmp_path / "other", host)
    yield made
    made.database.close()


def run(machine: Machine, request: Json, name: str = "tune") -> Json:
    """Create a tuning job, run it to its end, and check that its descriptions have the service's shape."""
    assert_shape(machine, tuning.create(machine, name, request))
    description = tuning.run(machine, name, Stop())
    assert_shape(machine, description)
    assert machine.database.get(tuning.KIND, name) == description
    return description


def assert_shape(machine: Machine, description: Json) -> None:
    """Check that botocore reads all of a description, and finds all that the service promises."""
    assert_read(machine, "DescribeHyperParameterTuningJob", {**description}, apart="TrainingJobSummaries")
    trials = {"TrainingJobSummaries": description["TrainingJobSummaries"]}
    assert_read(machine, "ListTrainingJobsForHyperParameterTuningJob", trials)


def assert_read(machine: Machine, operation: str, document: Json, *, apart: str = "") -> None:
    document.pop(apart, None)
    shape = machine.model.operation_model(operation).output_shape
    parser = botocore.parsers.create_parser("json")
    assert shape is not None
    response = {"status_code": 200, "headers": {}, "body": json.dumps(document).encode()}
    parsed = parser.parse(response, shape)
    del parsed["ResponseMetadata"]
    assert not ParamValidator().validate(parsed, shape).generate_report()
    assert parsed.keys() == document.keys()


def with_static(request: Json, **static: str) -> Json:
    return {**request, "TrainingJobDefinition": script_definition(**static)}


def wait_for_trials(machine: Machine, count: int) -> None:
    """Wait until so many trials have printed; the test's timeout ends a vain wait."""
    while sum(file.stat().st_size > 0 for file in (machine.root / "logs").rglob("algo-1.log")) < count:
        pass


@pytest.mark.parametrize("strategy", ["Bayesian", "Random", "Hyperband"])
def test_trials_are_listed_best_first_and_the_best_is_named(machine: Machine, strategy: str) -> None:
    resources = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 9}}}
    more = resources if strategy == "Hyperband" else {}
    description = run(machine, tuning_request(strategy, trials=5, parallel=2, **more))
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert values(description) == sorted((float(one["x"]) for one in tuned(description)), reverse=True)
    best = description["BestTrainingJob"]
    assert best == description["TrainingJobSummaries"][0]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "score"
    assert best["ObjectiveStatus"] == "Succeeded"
    assert description["TrainingJobStatusCounters"] == {
        "Completed": 5,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert description["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    assert machine.store.head(BUCKET, f"models/{best['TrainingJobName']}/output/model.tar.gz").size


def test_an_objective_to_be_low_puts_the_lowest_first(machine: Machine) -> None:
    request = grid_request("0.5", "0.2", "0.7", parallel=2)
    request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = "Minimize"
    description = run(machine, request)
    assert values(description) == [0.2, 0.5, 0.7]
    assert description["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.2"}
    assert description["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Minimize"


def test_a_grid_tries_every_combination_once(machine: Machine) -> None:
    ranges = {"CategoricalParameterRanges": [words("x", "0.1", "0.2"), words("kind", "a", "b")]}
    description = run(machine, tuning_request("Grid", trials=None, ranges=ranges))
    assert tuned(description) == [{"x": x, "kind": kind} for x in ("0.1", "0.2") for kind in ("a", "b")]


def test_training_jobs_get_names_and_hyperparameters_as_the_service_gives_them(machine: Machine) -> None:
    description = run(machine, with_static(tuning_request(trials=2), epochs="2"))
    names = sorted(trial["TrainingJobName"] for trial in description["TrainingJobSummaries"])
    assert [name.rpartition("-")[0] for name in names] == ["tune-001", "tune-002"]
    for name in names:
        job = machine.database.get(training.KIND, name)
        assert job is not None
        assert job["TuningJobArn"] == description["HyperParameterTuningJobArn"]
        assert job["HyperParameters"]["epochs"] == "2"
        assert job["HyperParameters"]["_tuning_objective_metric"] == "score"
        assert job["HyperParameters"].items() >= tuned(description)[names.index(name)].items()


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_trials_do_not_depend_on_which_of_them_ends_first(
    machine: Machine, other_machine: Machine, strategy: str
) -> None:
    request = tuning_request(strategy, trials=8, parallel=2)
    first = run(machine, with_static(request, slow="0:0.5"), "one")
    second = run(other_machine, with_static(request, slow="0.5:1"), "another")
    assert tuned(first) == tuned(second)
    assert values(first) == values(second)


def test_a_random_seed_of_the_request_changes_the_trials(machine: Machine) -> None:
    first, second = (run(machine, tuning_request(trials=2, RandomSeed=seed), f"seed-{seed}") for seed in (1, 2))
    assert tuned(first) != tuned(second)


def test_xgboost_as_the_built_in_algorithm_is_tuned_by_its_own_metric(machine: Machine, other_machine: Machine) -> None:
    for one in (machine, other_machine):
        one.store.put(BUCKET, "train/a.csv", as_csv(rows()).encode())
        one.store.put(BUCKET, "validation/a.csv", as_csv(rows(seed=1)).encode())
    first, second = (run(one, xgboost_request(trials=5, parallel=2)) for one in (machine, other_machine))
    assert first["HyperParameterTuningJobStatus"] == "Completed"
    assert tuned(first) == tuned(second)
    best = [value for value in values(first) if value is not None]
    assert best == sorted(best, reverse=True)
    assert best[0] > 0.9


def test_a_trial_that_fails_does_not_end_the_others(machine: Machine) -> None:
    description = run(machine, with_static(grid_request("0.2", "0.9", "0.4"), fail="0.8:1"))
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert values(description) == [0.4, 0.2, None]
    failed = description["TrainingJobSummaries"][-1]
    assert failed["TrainingJobStatus"] == "Failed"
    assert failed["ObjectiveStatus"] == "Failed"
    assert "x is 0.9, which it must not be" in failed["FailureReason"]
    assert description["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert description["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}


def test_when_all_trials_fail_the_job_fails_with_the_reason_of_the_first(machine: Machine) -> None:
    description = run(machine, with_static(grid_request("0.1", "0.2", parallel=2), fail="0:1"))
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("All training jobs failed. The first, tune-001-")
    assert "x is 0.1, which it must not be" in description["FailureReason"]
    assert "BestTrainingJob" not in description


def test_a_trial_that_does_not_print_the_metric_has_no_result(machine: Machine) -> None:
    description = run(machine, with_static(grid_request("0.2", "0.9"), mute="0.8:1"))
    assert values(description) == [0.2, None]
    silent = description["TrainingJobSummaries"][1]
    assert (silent["TrainingJobStatus"], silent["ObjectiveStatus"]) == ("Completed", "Failed")


def test_when_no_trial_prints_the_metric_the_job_fails_and_says_so(machine: Machine) -> None:
    description = run(machine, with_static(grid_request("0.2"), mute="0:1"))
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert "its log has no value of the objective metric 'score'" in description["FailureReason"]


def test_a_trial_whose_name_is_taken_fails(machine: Machine) -> None:
    description = run(machine, grid_request("0.2", "0.3"))
    machine.database.delete(tuning.KIND, "tune")
    again = run(machine, grid_request("0.2", "0.3"))
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert again["HyperParameterTuningJobStatus"] == "Failed"
    assert "already exists" in again["FailureReason"]


def test_stopping_ends_the_trials_that_run_and_begins_no_more(machine: Machine) -> None:
    tuning.create(machine, "tune", with_static(grid_request("0.1", "0.8", "0.9", "0.2", parallel=2), hang="0.5:1"))
    stop = Stop()
    runner = threading.Thread(target=tuning.run, args=(machine, "tune", stop))
    runner.start()
    wait_for_trials(machine, 3)
    running = machine.database.get(tuning.KIND, "tune")
    stop.set()
    runner.join()
    description = machine.database.get(tuning.KIND, "tune")
    assert running is not None
    assert description is not None
    assert_shape(machine, running)
    assert running["HyperParameterTuningJobStatus"] == "InProgress"
    assert running["TrainingJobStatusCounters"]["InProgress"] >= 1
    assert description["HyperParameterTuningJobStatus"] == "Stopped"
    assert description["TrainingJobStatusCounters"]["Stopped"] == 2
    assert [trial["TrainingJobStatus"] for trial in description["TrainingJobSummaries"]] == [
        "Completed",
        "Stopped",
        "Stopped",
    ]
    assert_shape(machine, description)


def test_a_job_that_is_stopped_before_it_begins_begins_no_trial(machine: Machine) -> None:
    tuning.create(machine, "tune", tuning_request())
    stop = Stop()
    stop.set()
    description = tuning.run(machine, "tune", stop)
    assert description["HyperParameterTuningJobStatus"] == "Stopped"
    assert description["TrainingJobSummaries"] == []
    assert machine.database.list(training.KIND) == []


def test_a_job_that_breaks_down_ends_its_trials_and_is_failed(machine: Machine) -> None:
    tuning.create(machine, "tune", with_static(grid_request("0.8", "0.9", parallel=2), hang="0:1"))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(tuning.run, machine, "tune", stop := Stop())
        wait_for_trials(machine, 1)
        for job in machine.database.list(training.KIND):
            machine.database.delete(training.KIND, job["TrainingJobName"])
        stop.set()
        assert isinstance(running.exception(), KeyError)
    description = machine.database.get(tuning.KIND, "tune")
    assert description is not None
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert description["FailureReason"] == "InternalServerError: see the error output."


@pytest.mark.parametrize(("first", "status"), [("0.1", "Completed"), ("0.8", "Failed")])
def test_when_the_time_is_up_what_is_there_counts(machine: Machine, first: str, status: str) -> None:
    tuning.create(machine, "tune", with_static(grid_request(first, "0.9", "0.2"), hang="0.5:1"))
    # The service allows no less than two minutes, which is too long for a test.
    config = with_static(grid_request(first, "0.9", "0.2"))["HyperParameterTuningJobConfig"]
    config["ResourceLimits"]["MaxRuntimeInSeconds"] = 1
    machine.database.update(tuning.KIND, "tune", HyperParameterTuningJobConfig=config)
    description = tuning.run(machine, "tune", Stop())
    assert description["HyperParameterTuningJobStatus"] == status
    assert description["TrainingJobStatusCounters"]["Stopped"] == 1
    assert len(description["TrainingJobSummaries"]) < 3


def test_early_stopping_ends_a_trial_that_is_below_the_median(machine: Machine) -> None:
    # The bad one would never end by itself.
    request = grid_request("0.5", "0.6", "0.7", "0.1", "0.8", TrainingJobEarlyStoppingType="Auto")
    description = run(machine, with_static(request, epochs="3", hang="0:0.2"))
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert values(description) == pytest.approx([0.82, 0.72, 0.62, 0.52, 0.1])
    ended = description["TrainingJobSummaries"][-1]
    assert (ended["TrainingJobStatus"], ended["ObjectiveStatus"]) == ("Stopped", "Succeeded")
    assert description["TrainingJobStatusCounters"]["Stopped"] == 1


def test_hyperband_ends_trials_that_are_not_among_the_best(machine: Machine) -> None:
    resources = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 20}}}
    request = tuning_request("Hyperband", trials=7, parallel=1, **resources)
    description = run(machine, with_static(request, epochs="8"))
    ended = [float(one["x"]) for one in tuned(description)]
    # At the second and the sixth epoch, a trial must be among the best third of those before it and itself.
    expected: list[float] = []
    curves: list[list[float]] = []
    for x in ended:
        curve = [x + epoch / 100 for epoch in range(8)]
        for rung in (1, 5):
            there = sorted((one[rung] for one in curves if len(one) > rung), reverse=True)
            if len(there) >= 2 and curve[rung] < there[(len(there) + 1) // 3 - 1]:
                curve = curve[: rung + 1]
                break
        curves.append(curve)
        expected.append(curve[-1])
    assert sorted(value for value in values(description) if value is not None) == pytest.approx(sorted(expected))
    assert min(map(len, curves)) < 8


def test_the_job_ends_when_the_objective_reaches_its_target(machine: Machine) -> None:
    criteria = {"TargetObjectiveMetricValue": 0.5}
    description = run(machine, grid_request("0.1", "0.6", "0.2", "0.3", TuningJobCompletionCriteria=criteria))
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert values(description) == [0.6, 0.1]


def test_the_job_ends_when_the_best_does_not_get_better(machine: Machine) -> None:
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    description = run(
        machine, grid_request("0.5", "0.4", "0.6", "0.1", "0.2", "0.3", "0.9", TuningJobCompletionCriteria=criteria)
    )
    assert [one["x"] for one in tuned(description)] == ["0.5", "0.4", "0.6", "0.1", "0.2", "0.3"]


def test_several_definitions_take_turns_with_ranges_of_their_own(machine: Machine) -> None:
    request = tuning_request("Random", trials=4)
    objective = request["HyperParameterTuningJobConfig"].pop("HyperParameterTuningJobObjective")
    del request["HyperParameterTuningJobConfig"]["ParameterRanges"], request["TrainingJobDefinition"]
    request["TrainingJobDefinitions"] = [
        {
            **script_definition(),
            "DefinitionName": name,
            "TuningObjective": objective,
            "HyperParameterRanges": {"ContinuousParameterRanges": [numbers("x", low, high)]},
        }
        for name, low, high in (("low", "0", "0.4"), ("high", "0.6", "1"))
    ]
    description = run(machine, request)
    in_order = sorted(description["TrainingJobSummaries"], key=lambda trial: str(trial["TrainingJobName"]))
    assert [trial["TrainingJobDefinitionName"] for trial in in_order] == ["low", "high", "low", "high"]
    assert [float(one["x"]) > 0.5 for one in tuned(description)] == [False, True, False, True]
    assert description["BestTrainingJob"]["TrainingJobDefinitionName"] == "high"


def test_a_warm_start_learns_from_its_parents_and_names_the_best_of_all(machine: Machine) -> None:
    parent = run(machine, grid_request("0.95", "0.2"), "parent")
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    child = run(machine, {**grid_request("0.3", "0.4"), "WarmStartConfig": warm}, "child")
    assert child["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.4"}
    assert child["OverallBestTrainingJob"] == parent["BestTrainingJob"]
    bayesian = tuning_request("Bayesian", trials=6, parallel=1)
    cold = run(machine, bayesian, "cold")
    warmed = run(machine, {**bayesian, "WarmStartConfig": warm}, "warmed")
    assert tuned(cold) != tuned(warmed)


def test_a_job_whose_process_is_gone_is_recovered_with_its_trials(machine: Machine) -> None:
    tuning.create(machine, "tune", with_static(grid_request("0.1", "0.8", parallel=2), hang="0.5:1"))
    stop = Stop()
    runner = threading.Thread(target=tuning.run, args=(machine, "tune", stop))
    runner.start()
    wait_for_trials(machine, 2)
    frozen = [(kind, one) for kind in (tuning.KIND, training.KIND) for one in machine.database.list(kind)]
    stop.set()
    runner.join()
    for kind, document in frozen:
        name = document["TrainingJobName" if kind == training.KIND else "HyperParameterTuningJobName"]
        machine.database.put(kind, name, document)
    description = tuning.recover(machine, "tune", "The process ended.")
    assert_shape(machine, description)
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert description["FailureReason"] == "The process ended."
    assert {trial["TrainingJobStatus"] for trial in description["TrainingJobSummaries"]} <= {"Completed", "Failed"}
    assert {job["TrainingJobStatus"] for job in machine.database.list(training.KIND)} <= {"Completed", "Failed"}
    assert tuning.recover(machine, "tune", "Again.")["FailureReason"] == "The process ended."
