"""The definition that get_pipeline() compiles to."""

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from pipelines.fraud import settings
from pipelines.fraud.hyperparameters import RANGES, UNTUNED
from tests.fraud.compiling import BUCKET, Compiled, Json, inputs, outputs, own_arguments, produced, references

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
THRESHOLD = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.RocAucThreshold"}]}}


# Structure


def test_the_steps_stand_where_the_picture_shows_them(definition: Json) -> None:
    gate = definition["Steps"][-1]["Arguments"]
    assert [(step["Name"], step["Type"]) for step in definition["Steps"]] == [
        ("Preprocess", "Processing"),
        ("Train", "Training"),
        ("Evaluate", "Processing"),
        ("AucGate", "Condition"),
    ]
    assert [(step["Name"], step["Type"]) for step in gate["IfSteps"]] == [
        ("Tune", "Tuning"),
        ("EvaluateTuned", "Processing"),
        ("RegisterTuned", "RegisterModel"),
        ("CreateTunedModel", "Model"),
    ]
    assert [(step["Name"], step["Type"]) for step in gate["ElseSteps"]] == [
        ("Register", "RegisterModel"),
        ("CreateModel", "Model"),
    ]


def test_each_step_waits_for_those_whose_results_it_takes(steps: dict[str, Json]) -> None:
    waits = {
        name: {path.split(".")[1] for path in references(own_arguments(step)) if path.startswith("Steps.")}
        | set(step.get("DependsOn", []))
        for name, step in steps.items()
    }
    assert waits == {
        "Preprocess": set(),
        "Train": {"Preprocess"},
        "Evaluate": {"Preprocess", "Train"},
        "AucGate": {"Evaluate"},
        "Tune": {"Preprocess"},
        "EvaluateTuned": {"Preprocess", "Tune"},
        "RegisterTuned": {"Preprocess", "Tune", "EvaluateTuned"},
        "CreateTunedModel": {"Tune", "EvaluateTuned"},
        "Register": {"Preprocess", "Train", "Evaluate"},
        "CreateModel": {"Train"},
    }


def test_the_parameters_are_typed_and_have_defaults(definition: Json, compiled: Compiled) -> None:
    parameters = {item.pop("Name"): item for item in json.loads(compiled.text)["Parameters"]}
    data = parameters.pop("InputData")
    assert parameters == {
        "ProcessingInstanceType": {"Type": "String", "DefaultValue": settings.PROCESSING_INSTANCE_TYPE},
        "ProcessingInstanceCount": {"Type": "Integer", "DefaultValue": 1},
        "TrainingInstanceType": {"Type": "String", "DefaultValue": settings.TRAINING_INSTANCE_TYPE},
        "TrainingInstanceCount": {"Type": "Integer", "DefaultValue": 1},
        "RocAucThreshold": {"Type": "Float", "DefaultValue": settings.ROC_AUC_THRESHOLD},
        "ModelApprovalStatus": {
            "Type": "String",
            "DefaultValue": "PendingManualApproval",
            "EnumValues": ["Approved", "Rejected", "PendingManualApproval"],
        },
        "CommitId": {"Type": "String", "DefaultValue": "unknown"},
        "Repository": {"Type": "String", "DefaultValue": "unknown"},
    }
    assert data["Type"] == "String"
    assert re.fullmatch(rf"s3://{BUCKET}/{settings.BASE_JOB_PREFIX}/data/[0-9a-f]{{64}}/", data["DefaultValue"])
    assert {item["Name"] for item in definition["Parameters"]} == {
        path.removeprefix("Parameters.") for path in references(definition["Steps"]) if path.startswith("Parameters.")
    }, "every parameter is used"


def test_jobs_are_cached_for_seven_days_and_nothing_else_is(steps: dict[str, Json]) -> None:
    cached = {name: step["CacheConfig"] for name, step in steps.items() if "CacheConfig" in step}
    week = {"Enabled": True, "ExpireAfter": "P7D"}
    assert cached == dict.fromkeys(("Preprocess", "Train", "Evaluate", "Tune", "EvaluateTuned"), week)


def test_an_execution_never_stands_in_what_a_cache_key_is_made_of(steps: dict[str, Json]) -> None:
    for name in ("Preprocess", "Train", "Evaluate", "Tune", "EvaluateTuned"):
        arguments = {key: value for key, value in steps[name]["Arguments"].items() if "Output" not in key}
        assert not [path for path in references(arguments) if path.startswith("Execution.")], name


def test_the_gate_tunes_what_is_not_above_the_threshold(steps: dict[str, Json]) -> None:
    assert steps["AucGate"]["Arguments"]["Conditions"] == [
        {
            "Type": "LessThanOrEqualTo",
            "LeftValue": {
                "Std:JsonGet": {
                    "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.EvaluationReport"},
                    "Path": "binary_classification_metrics.auc.value",
                }
            },
            "RightValue": {"Get": "Parameters.RocAucThreshold"},
        }
    ]


@pytest.mark.parametrize("name", ["Evaluate", "EvaluateTuned"])
def test_an_evaluation_shows_its_report(steps: dict[str, Json], name: str) -> None:
    assert steps[name]["PropertyFiles"] == [
        {"PropertyFileName": "EvaluationReport", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]
    assert outputs(steps[name])["evaluation"]["LocalPath"] == f"{OUTPUT}/evaluation"


# Jobs


def test_every_job_and_model_names_its_image(steps: dict[str, Json]) -> None:
    def images(value: Json) -> set[str]:
        if isinstance(value, dict):
            named = {value[key] for key in ("ImageUri", "TrainingImage", "Image") if key in value}
            return named.union(*map(images, value.values()))
        return set().union(*map(images, value)) if isinstance(value, list) else set()

    found = {name: images(own_arguments(step)) for name, step in steps.items() if step["Type"] != "Condition"}
    assert found.pop("Preprocess") == {SKLEARN}
    assert set(map(tuple, found.values())) == {(XGBOOST,)}


@pytest.mark.parametrize(
    ("name", "program", "arguments"),
    [
        ("Preprocess", "preprocess.py", ["--input-dir", f"{INPUT}/data", "--output-dir", OUTPUT, "--seed", "42"]),
        (
            "Evaluate",
            "evaluate.py",
            ["--model-dir", f"{INPUT}/model", "--test-dir", f"{INPUT}/test", "--output-dir", f"{OUTPUT}/evaluation"],
        ),
        (
            "EvaluateTuned",
            "evaluate.py",
            [
                *("--model-dir", f"{INPUT}/model", "--test-dir", f"{INPUT}/test"),
                *("--output-dir", f"{OUTPUT}/evaluation", "--threshold", THRESHOLD),
            ],
        ),
    ],
)
def test_a_script_is_told_every_path(steps: dict[str, Json], name: str, program: str, arguments: list[Json]) -> None:
    application = steps[name]["Arguments"]["AppSpecification"]
    assert application["ContainerEntrypoint"] == ["python3", f"{INPUT}/code/{program}"]
    assert application["ContainerArguments"] == arguments


@pytest.mark.parametrize("name", ["Preprocess", "Evaluate", "EvaluateTuned"])
def test_a_processing_job_finds_its_inputs_where_its_arguments_say(steps: dict[str, Json], name: str) -> None:
    for key, source in inputs(steps[name]).items():
        assert source["LocalPath"] == f"{INPUT}/{key}"
        assert (source["S3DataType"], source["S3InputMode"]) == ("S3Prefix", "File")


def test_data_goes_from_step_to_step(steps: dict[str, Json]) -> None:
    assert inputs(steps["Preprocess"])["data"]["S3Uri"] == {"Get": "Parameters.InputData"}
    assert inputs(steps["Evaluate"])["model"]["S3Uri"] == {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    for name in ("Evaluate", "EvaluateTuned"):
        assert inputs(steps[name])["test"]["S3Uri"] == produced("Preprocess", "test")
    for arguments in (steps["Train"]["Arguments"], steps["Tune"]["Arguments"]["TrainingJobDefinition"]):
        assert {
            channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
            for channel in arguments["InputDataConfig"]
        } == {name: produced("Preprocess", name) for name in ("train", "validation", "schema")}


def test_outputs_of_two_executions_never_meet(steps: dict[str, Json]) -> None:
    for step in ("Preprocess", "Evaluate", "EvaluateTuned"):
        for name, target in outputs(steps[step]).items():
            run = {"Get": "Execution.PipelineExecutionId"}
            assert target["S3Uri"]["Std:Join"]["Values"] == [
                f"s3://{BUCKET}/{settings.BASE_JOB_PREFIX}/runs",
                run,
                step,
                name,
            ]
            assert target["LocalPath"] == f"{OUTPUT}/{name}"
    assert set(outputs(steps["Preprocess"])) == {"train", "validation", "schema", "test", "labelled", "input"}


def test_training_is_given_the_untuned_hyperparameters_in_script_mode(steps: dict[str, Json]) -> None:
    given = dict(steps["Train"]["Arguments"]["HyperParameters"])
    archive = given.pop("sagemaker_submit_directory")
    assert given == {**{name: str(value) for name, value in UNTUNED.items()}, "sagemaker_program": "train.py"}
    assert re.fullmatch(rf"s3://{BUCKET}/{settings.BASE_JOB_PREFIX}/code/[0-9a-f]{{64}}/sourcedir\.tar\.gz", archive)


def test_trials_differ_from_training_only_in_what_is_tuned(steps: dict[str, Json]) -> None:
    fixed = steps["Tune"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]
    untuned = steps["Train"]["Arguments"]["HyperParameters"]
    assert fixed == {name: value for name, value in untuned.items() if name not in RANGES}


def test_tuning_looks_for_the_best_validation_auc_within_the_ranges(steps: dict[str, Json]) -> None:
    tuning = steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]
    found = {
        item["Name"]: (float(item["MinValue"]), float(item["MaxValue"]), kind, item["ScalingType"])
        for kind in ("Integer", "Continuous")
        for item in tuning["ParameterRanges"][f"{kind}ParameterRanges"]
    }
    assert found == {name: tuple(values) for name, values in RANGES.items()}
    assert tuning["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation:auc"}
    assert tuning["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": settings.MAX_TUNING_JOBS,
        "MaxParallelTrainingJobs": settings.MAX_PARALLEL_TUNING_JOBS,
    }
    assert (tuning["Strategy"], tuning["RandomSeed"]) == ("Bayesian", 42)


def test_metrics_are_left_to_the_image_which_defines_them_itself(steps: dict[str, Json]) -> None:
    # "You can't override the metric definitions for Amazon SageMaker algorithms", says CreateTrainingJob otherwise.
    for arguments in (steps["Train"]["Arguments"], steps["Tune"]["Arguments"]["TrainingJobDefinition"]):
        assert "MetricDefinitions" not in arguments["AlgorithmSpecification"]


def test_only_what_the_image_lets_tune_is_tuned(steps: dict[str, Json]) -> None:
    limits = {"eta": (0, 1), "min_child_weight": (0, 120), "alpha": (0, 1000), "max_depth": (0, 10)}
    ranges = steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]["ParameterRanges"]
    for item in [*ranges["IntegerParameterRanges"], *ranges["ContinuousParameterRanges"]]:
        low, high = limits[item["Name"]]
        assert low <= float(item["MinValue"]) < float(item["MaxValue"]) <= high


def test_the_best_trials_model_is_looked_for_where_trials_leave_theirs(steps: dict[str, Json]) -> None:
    target = steps["Tune"]["Arguments"]["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
    best = inputs(steps["EvaluateTuned"])["model"]["S3Uri"]
    job = {"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"}
    *parts, last = best["Std:Join"]["Values"]
    assert [best["Std:Join"]["On"].join(parts[:-1]), parts[-1], last] == [target, job, "output/model.tar.gz"]
    for name in ("RegisterTuned", "CreateTunedModel"):
        assert container(steps[name])["ModelDataUrl"] == best


# Models


def container(step: Json) -> Json:
    arguments = step["Arguments"]
    return arguments.get("PrimaryContainer") or arguments["InferenceSpecification"]["Containers"][0]


@pytest.mark.parametrize("name", ["Register", "RegisterTuned", "CreateModel", "CreateTunedModel"])
def test_a_model_is_served_by_the_code_that_it_carries(steps: dict[str, Json], name: str) -> None:
    environment = container(steps[name])["Environment"]
    assert environment["SAGEMAKER_PROGRAM"] == "inference.py"
    assert environment["SAGEMAKER_SUBMIT_DIRECTORY"] == "/opt/ml/model/code"


@pytest.mark.parametrize(("name", "evaluation"), [("Register", "Evaluate"), ("RegisterTuned", "EvaluateTuned")])
def test_a_registered_model_brings_its_evaluation(steps: dict[str, Json], name: str, evaluation: str) -> None:
    arguments = steps[name]["Arguments"]
    report = {"Std:Join": {"On": "/", "Values": [produced(evaluation, "evaluation"), "evaluation.json"]}}
    assert arguments["ModelMetrics"] == {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}
    }
    assert arguments["ModelApprovalStatus"] == {"Get": "Parameters.ModelApprovalStatus"}
    specification = arguments["InferenceSpecification"]
    assert specification["SupportedContentTypes"] == ["text/csv", "application/json"]
    assert specification["SupportedResponseMIMETypes"] == ["text/csv", "application/json"]


@pytest.mark.parametrize(("name", "evaluation"), [("Register", "Evaluate"), ("RegisterTuned", "EvaluateTuned")])
def test_a_registered_model_tells_what_it_is_made_of(steps: dict[str, Json], name: str, evaluation: str) -> None:
    def read(step: str, report: str, path: str) -> Json:
        file = {"Get": f"Steps.{step}.PropertyFiles.{report}"}
        return {"Std:Join": {"On": "", "Values": [{"Std:JsonGet": {"PropertyFile": file, "Path": path}}]}}

    arguments = steps[name]["Arguments"]
    assert arguments["MetadataProperties"] == {
        "CommitId": {"Get": "Parameters.CommitId"},
        "Repository": {"Get": "Parameters.Repository"},
    }
    code = arguments["CustomerMetadataProperties"].pop("CodeHash")
    assert re.fullmatch("[0-9a-f]{64}", code)
    assert arguments["CustomerMetadataProperties"] == {
        "PipelineExecutionArn": {"Get": "Execution.PipelineExecutionArn"},
        "InputDataHash": read("Preprocess", "InputReport", "sha256"),
        "RocAuc": read(evaluation, "EvaluationReport", "binary_classification_metrics.auc.value"),
        "RocAucThreshold": THRESHOLD,
        "LabelledRows": {"Std:Join": {"On": "/", "Values": [produced("Preprocess", "labelled"), "labelled.csv"]}},
    }


# What the service will say


@pytest.mark.parametrize(
    ("name", "operation", "given"),
    [
        ("Preprocess", "CreateProcessingJob", {"ProcessingJobName": "job"}),
        ("Evaluate", "CreateProcessingJob", {"ProcessingJobName": "job"}),
        ("EvaluateTuned", "CreateProcessingJob", {"ProcessingJobName": "job"}),
        ("Train", "CreateTrainingJob", {"TrainingJobName": "job"}),
        ("Tune", "CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "job"}),
        ("CreateModel", "CreateModel", {"ModelName": "model"}),
        ("CreateTunedModel", "CreateModel", {"ModelName": "model"}),
        ("Register", "CreateModelPackage", {}),
        ("RegisterTuned", "CreateModelPackage", {}),
    ],
)
def test_the_service_takes_each_steps_arguments(
    definition: Json, steps: dict[str, Json], name: str, operation: str, given: dict[str, str]
) -> None:
    model = boto3.Session("AKIA", "secret", region_name="eu-west-1").client("sagemaker").meta.service_model
    parameters = {item["Name"]: item["DefaultValue"] for item in definition["Parameters"]}
    arguments = filled(steps[name]["Arguments"], parameters)
    shape = model.operation_model(operation).input_shape
    assert shape
    report = ParamValidator().validate(arguments | given, shape)
    assert report.generate_report() == ""


def filled(value: Json, parameters: Mapping[str, Any]) -> Json:
    """The value as it may be when a job starts."""
    if isinstance(value, list):
        return [filled(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    if "Get" in value:
        root, _, path = value["Get"].partition(".")
        return parameters[path] if root == "Parameters" else f"s3://{root}/{path}"
    if "Std:Join" in value:
        return value["Std:Join"]["On"].join(map(str, filled(value["Std:Join"]["Values"], parameters)))
    return {key: filled(item, parameters) for key, item in value.items()}
