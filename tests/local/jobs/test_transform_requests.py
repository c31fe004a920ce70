"""What a CreateTransformJob request may ask for on this machine."""

from typing import Any

import pytest

from pipelines.local.errors import ServiceError
from pipelines.local.jobs import transform
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.transform_request import batching_of, concurrency_of, environment_of
from pipelines.local.registry import Registry
from tests.local.documents import ROLE
from tests.local.jobs.transforms import model, request

JOIN = {"JoinSource": "Input"}


def refused(machine: Machine, wish: dict[str, Any]) -> str:
    """Return what is said of a request, of which nothing may be written."""
    with pytest.raises(ServiceError) as caught:
        transform.create(machine, "job", wish)
    assert machine.database.list(transform.KIND) == []
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (request("https://bucket/in"), "S3DataSource.S3Uri: 'https://bucket/in' is not an S3 URI"),
        (request(data_type="AugmentedManifestFile"), "S3DataType is 'AugmentedManifestFile', which this machine does"),
        (request(input_={"SplitType": "RecordIO"}), "SplitType is 'RecordIO', which this machine does not do yet; use"),
        (request(input_={"SplitType": "Lines"}), "Value 'Lines' at TransformInput.SplitType failed to satisfy enum"),
        (request(output={"S3OutputPath": "s3://Bad_Bucket"}), "'Bad_Bucket' is not a bucket name"),
        (
            request(TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2}),
            "TransformResources.InstanceCount is 2; this machine runs every job on one instance: set it to 1.",
        ),
        (
            request(input_={"ContentType": "text/çsv"}),
            "TransformInput.ContentType is 'text/çsv'; it is sent as a header",
        ),
        (request(MaxPayloadInMB=0), "MaxPayloadInMB is 0, which this machine does not do yet; use 1 to 100."),
        (request(MaxPayloadInMB=101), "MaxPayloadInMB is 101; at most 100 is allowed."),
        (
            request(MaxPayloadInMB=20, MaxConcurrentTransforms=6),
            "MaxConcurrentTransforms (6) * MaxPayloadInMB (20) is 120; at most 100 is allowed: lower one of them.",
        ),
        (request(DataCaptureConfig={"DestinationS3Uri": "s3://bucket/x"}), "captures no data of transform jobs yet"),
        (request(Environment={str(number): "x" for number in range(17)}), "Environment has length 17, at most 16"),
        (request(DataProcessing={"InputFilter": "id"}), "Invalid InputFilter: \"id\". A JsonPath begins with '$'"),
        (request(DataProcessing={"OutputFilter": "$.x"}), 'Invalid OutputFilter: "$.x". text/csv: the rows of a CSV'),
        (request(DataProcessing={"InputFilter": "$['x']"}), "Invalid InputFilter: \"$['x']\". text/csv: the rows of a"),
        (
            request(DataProcessing=JOIN, input_={"SplitType": "None"}),
            "ContentType text/csv needs SplitType; set it to 'Line'.",
        ),
        (request(DataProcessing=JOIN, output={"AssembleWith": "None"}), "Accept text/csv needs AssembleWith; set it"),
        (
            request(DataProcessing={"InputFilter": "$[0]"}, input_={"ContentType": "text/libsvm"}),
            "DataProcessing needs ContentType; it is 'text/libsvm', allowed are text/csv, application/json, ",
        ),
        (
            request(DataProcessing=JOIN, output={"Accept": "application/json"}),
            "records of text/csv cannot be joined with results of application/json; set TransformInput.ContentType",
        ),
    ],
)
def test_what_a_job_cannot_do_is_refused_in_one_line(machine: Machine, wish: dict[str, Any], said: str) -> None:
    model(machine)
    assert said in refused(machine, wish)


def test_a_model_that_is_not_there_is_refused(machine: Machine) -> None:
    assert "Could not find model" in refused(machine, request(ModelName="ghost"))


def test_a_model_of_an_image_that_does_not_run_here_is_refused(machine: Machine) -> None:
    container = {
        "Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.8",
        "ModelDataUrl": "s3://x/y",
    }
    Registry(machine.database, machine.arn).create_model(
        "model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    )
    assert "does not run on this machine" in refused(machine, request())


def test_a_name_is_used_once(machine: Machine) -> None:
    model(machine)
    first = transform.create(machine, "job", request())
    with pytest.raises(ServiceError, match=r"transform-job/job already exists; choose another name\."):
        transform.create(machine, "job", request(MaxPayloadInMB=1))
    assert machine.database.list(transform.KIND) == [first]


def test_what_has_no_effect_here_is_kept(machine: Machine) -> None:
    model(machine)
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": "alias/volume"}
    wish = request(
        output={"KmsKeyId": "alias/key"},
        TransformResources=resources,
        ExperimentConfig={"ExperimentName": "e"},
        BatchStrategy="SingleRecord",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    description = transform.create(machine, "job", wish)
    del wish["Tags"]
    assert {name: description.get(name) for name in wish} == wish
    assert "Tags" not in description


def test_a_filter_of_one_side_asks_for_nothing_of_the_other(machine: Machine) -> None:
    model(machine)
    result = {"Accept": "application/json", "AssembleWith": "None"}
    transform.create(machine, "one", request(output=result, DataProcessing={"OutputFilter": "$.score"}))
    transform.create(
        machine,
        "two",
        {**request(DataProcessing={"InputFilter": "$[1:]"}), "TransformOutput": {"S3OutputPath": "s3://bucket"}},
    )
    assert len(machine.database.list(transform.KIND)) == 2


def test_the_container_is_told_what_the_request_says() -> None:
    assert environment_of(request()) == {"SAGEMAKER_BATCH": "true"}
    wish = request(
        Environment={"MODE": "fast"}, MaxPayloadInMB=2, MaxConcurrentTransforms=3, BatchStrategy="SingleRecord"
    )
    assert environment_of(wish) == {
        "MODE": "fast",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
    }


def test_a_request_wins_over_the_container_and_that_over_the_defaults() -> None:
    wishes = {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 3}
    wish = request(MaxConcurrentTransforms=2, BatchStrategy="MultiRecord", MaxPayloadInMB=1)
    found = [
        (batching_of(each, said), concurrency_of(each, said)) for each in (wish, request()) for said in (wishes, {})
    ]
    assert [(cut.single, cut.limit >> 20, parallel) for cut, parallel in found] == [
        (False, 1, 2),
        (False, 1, 2),
        (True, 3, 4),
        (False, 6, 1),
    ]
