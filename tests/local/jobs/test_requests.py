"""Requests that are refused: each with a message that names the mistake, and nothing is written."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.local.errors import ResourceInUse, ServiceError, ValidationError
from pipelines.local.jobs import processing, training
from pipelines.local.jobs.machine import Machine
from tests.local.documents import BUCKET, SKLEARN
from tests.local.jobs import job_requests as requests
from tests.local.jobs.job_requests import channel, s3_input, s3_output

Json = dict[str, Any]
Change = Callable[[Json], object]


def assert_refused(machine: Machine, module: Any, request: Json, said: str, name: str = "job") -> None:
    with pytest.raises(ServiceError) as refusal:
        module.create(machine, name, request)
    assert refusal.value.code == "ValidationException"
    assert said in refusal.value.message
    assert "\n" not in refusal.value.message
    assert machine.database.list(module.KIND) == []
    assert not (machine.root / "jobs").exists()


PROCESSING: dict[str, tuple[Change, str]] = {
    "no role": (lambda r: r.pop("RoleArn"), 'Missing required parameter in input: "RoleArn"'),
    "unknown member": (lambda r: r.update(Colour="red"), 'Unknown parameter in input: "Colour"'),
    "wrong type": (
        lambda r: r["ProcessingResources"]["ClusterConfig"].update(InstanceCount="1"),
        "Invalid type for parameter ProcessingResources.ClusterConfig.InstanceCount",
    ),
    "two instances": (
        lambda r: r["ProcessingResources"]["ClusterConfig"].update(InstanceCount=2),
        "ProcessingResources.ClusterConfig.InstanceCount is 2; this machine runs every job on one instance",
    ),
    "unknown image": (
        lambda r: r["AppSpecification"].update(ImageUri="1.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2"),
        "'sagemaker-scikit-learn' and 'sagemaker-xgboost'",
    ),
    "no entry point": (
        lambda r: r["AppSpecification"].pop("ContainerEntrypoint"),
        "AppSpecification.ContainerEntrypoint is missing",
    ),
    "argument too long": (
        lambda r: r["AppSpecification"].update(ContainerArguments=["x" * 257]),
        "AppSpecification.ContainerArguments[0] has length 257, at most 256 is allowed",
    ),
    "not an enum's value": (
        lambda r: r["ProcessingInputs"][0]["S3Input"].update(S3InputMode="FastFile"),
        "Value 'FastFile' at ProcessingInputs[0].S3Input.S3InputMode failed to satisfy enum value set: [Pipe, File]",
    ),
    "pipe mode": (
        lambda r: r["ProcessingInputs"][0]["S3Input"].update(S3InputMode="Pipe"),
        "ProcessingInputs['code'].S3Input.S3InputMode is 'Pipe', which this machine does not do yet; use 'File'",
    ),
    "compressed input": (
        lambda r: r["ProcessingInputs"][0]["S3Input"].update(S3CompressionType="Gzip"),
        "S3CompressionType is 'Gzip'",
    ),
    "path elsewhere": (
        lambda r: r["ProcessingInputs"][0]["S3Input"].update(LocalPath="/etc"),
        "ProcessingInputs['code'].S3Input.LocalPath: '/etc' is not below /opt/ml/processing/",
    ),
    "path that leaves": (
        lambda r: r["ProcessingOutputConfig"]["Outputs"][0]["S3Output"].update(LocalPath="/opt/ml/processing/../x"),
        "ProcessingOutputConfig.Outputs['result'].S3Output.LocalPath",
    ),
    "not S3": (
        lambda r: r["ProcessingInputs"][0]["S3Input"].update(S3Uri="https://example.com"),
        "S3Input.S3Uri",
    ),
    "name twice": (
        lambda r: r["ProcessingInputs"].append(s3_input("code", "s3://bucket/x", "/opt/ml/processing/x")),
        "ProcessingInputs has the name 'code' more than once",
    ),
    "too many inputs": (
        lambda r: r.update(
            ProcessingInputs=[s3_input(f"i{n}", "s3://bucket/x", f"/opt/ml/processing/{n}") for n in range(11)]
        ),
        "ProcessingInputs has length 11, at most 10 is allowed",
    ),
    "feature store": (
        lambda r: r["ProcessingOutputConfig"]["Outputs"].append(
            {"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "f"}}
        ),
        "ProcessingOutputConfig.Outputs['f'] is 'FeatureStoreOutput'",
    ),
}

TRAINING: dict[str, tuple[Change, str]] = {
    "no output": (lambda r: r.pop("OutputDataConfig"), 'Missing required parameter in input: "OutputDataConfig"'),
    "no algorithm": (lambda r: r.pop("AlgorithmSpecification"), "AlgorithmSpecification.TrainingImage is missing"),
    "two instances": (
        lambda r: r["ResourceConfig"].update(InstanceCount=2),
        "ResourceConfig.InstanceCount is 2; this machine runs every job on one instance: set it to 1.",
    ),
    "two groups": (
        lambda r: r["ResourceConfig"].update(
            InstanceGroups=[
                {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": name} for name in "ab"
            ]
        ),
        "ResourceConfig.InstanceCount is 2",
    ),
    "no program": (
        lambda r: r["AlgorithmSpecification"].update(TrainingImage=SKLEARN),
        "HyperParameters has no 'sagemaker_program'",
    ),
    "pipe mode": (
        lambda r: r["AlgorithmSpecification"].update(TrainingInputMode="Pipe"),
        "TrainingInputMode is 'Pipe'",
    ),
    "pipe channel": (
        lambda r: r.update(InputDataConfig=[channel("train", "s3://bucket/x", InputMode="Pipe")]),
        "InputDataConfig['train'].InputMode is 'Pipe'",
    ),
    "compressed channel": (
        lambda r: r.update(InputDataConfig=[channel("train", "s3://bucket/x", CompressionType="Gzip")]),
        "InputDataConfig['train'].CompressionType is 'Gzip'",
    ),
    "channel twice": (
        lambda r: r.update(InputDataConfig=[channel("train", "s3://bucket/x"), channel("train", "s3://bucket/y")]),
        "InputDataConfig['train'] is there more than once",
    ),
    "file system": (
        lambda r: r.update(InputDataConfig=[{"ChannelName": "train", "DataSource": {}}]),
        "InputDataConfig['train'].DataSource is None",
    ),
    "long hyperparameter": (
        lambda r: r.update(HyperParameters={"eta": "x" * 2501}),
        "HyperParameters['eta'] has length 2501, at most 2500 is allowed",
    ),
    "number as hyperparameter": (
        lambda r: r.update(HyperParameters={"eta": 0.1}),
        "Invalid type for parameter HyperParameters.eta",
    ),
    "bad regex": (
        lambda r: r["AlgorithmSpecification"].update(MetricDefinitions=[{"Name": "m", "Regex": "("}]),
        "AlgorithmSpecification.MetricDefinitions['m'].Regex is not a regular expression",
    ),
    "checkpoints elsewhere": (
        lambda r: r.update(CheckpointConfig={"S3Uri": "s3://bucket/x", "LocalPath": "/home"}),
        "CheckpointConfig.LocalPath: '/home' is not below /opt/ml/",
    ),
}


@pytest.mark.parametrize("mistake", PROCESSING)
def test_a_processing_job_is_refused_for(machine: Machine, mistake: str) -> None:
    change, said = PROCESSING[mistake]
    request = requests.processing(machine, "pass")
    change(request)

    assert_refused(machine, processing, request, said)


@pytest.mark.parametrize("mistake", TRAINING)
def test_a_training_job_is_refused_for(machine: Machine, mistake: str) -> None:
    change, said = TRAINING[mistake]
    request = requests.training()
    change(request)

    assert_refused(machine, training, request, said)


@pytest.mark.parametrize("name", ["", "../job", "a_b", "x" * 64, "-a"])
def test_a_name_that_the_service_would_not_take_is_refused(machine: Machine, name: str) -> None:
    assert_refused(machine, training, requests.training(), "TrainingJobName", name)


def test_several_mistakes_are_named_together(machine: Machine) -> None:
    request = requests.training(Colour="red")
    del request["RoleArn"]

    assert_refused(machine, training, request, '"RoleArn"; Unknown parameter in input: "Colour"')


def test_a_name_that_is_taken_is_refused(machine: Machine) -> None:
    first = training.create(machine, "job", requests.training())

    with pytest.raises(ResourceInUse, match=r"Job name must be unique .*:training-job/job already exists"):
        training.create(machine, "job", requests.training(Environment={"A": "1"}))

    assert machine.database.list(training.KIND) == [first]
    assert processing.create(machine, "job", requests.processing(machine, "pass"))


def test_a_description_shows_no_tags(machine: Machine) -> None:
    tags = [{"Key": "team", "Value": "fraud"}]

    assert "Tags" not in training.create(machine, "job", requests.training(Tags=tags))


def test_a_continuous_output_is_taken(machine: Machine) -> None:
    request = requests.processing(machine, "pass")
    request["ProcessingOutputConfig"]["Outputs"] = [s3_output("live", mode="Continuous")]

    assert processing.create(machine, "job", request)["ProcessingOutputConfig"] == request["ProcessingOutputConfig"]


def test_a_bucket_that_cannot_be_is_refused(machine: Machine) -> None:
    request = requests.training(OutputDataConfig={"S3OutputPath": f"s3://{BUCKET.upper()}_/x"})

    with pytest.raises((ServiceError, ValidationError), match="bucket"):
        training.create(machine, "job", request)
