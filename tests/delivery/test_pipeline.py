"""Bringing the service's pipeline to what is ordered."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sagemaker.type_defs import TagTypeDef

from pipelines.delivery.pipeline import INLINE_BYTES, Change, PipelineOrder, upsert
from pipelines.local.session import session
from tests.delivery.pipelines import NO_GATE, TWO_BRANCHES, definition, step
from tests.delivery.scripted import PIPELINE, ROLE, Document, Script, ServiceRefusal
from tests.local.documents import ALWAYS, condition
from tests.local.documents import definition as local_definition

ORDER = PipelineOrder("fraud", NO_GATE, ROLE)
TAGS: tuple[TagTypeDef, ...] = ({"Key": "team", "Value": "fraud"},)


def put(service: Script, order: PipelineOrder = ORDER) -> Change:
    return upsert(service.session.client("sagemaker"), order, service.session)


def holding(definition: str, description: str = "") -> Script:
    current: Document = {
        "PipelineArn": PIPELINE,
        "PipelineDefinition": definition,
        "RoleArn": ROLE,
        "PipelineDescription": description,
    }
    return Script({"DescribePipeline": current, "UpdatePipeline": {"PipelineArn": PIPELINE}, "AddTags": {"Tags": []}})


def test_a_new_pipeline_is_created_with_its_description_and_tags() -> None:
    service = Script(
        {
            "DescribePipeline": ServiceRefusal("ResourceNotFound", "no such pipeline"),
            "CreatePipeline": {"PipelineArn": PIPELINE},
        }
    )
    order = replace(ORDER, description="finds fraud", tags=TAGS)
    assert put(service, order) == "created"
    (request,) = service.sent("CreatePipeline")
    assert (request["PipelineDefinition"], request["RoleArn"]) == (NO_GATE, ROLE)
    assert (request["PipelineDescription"], request["Tags"]) == ("finds fraud", list(TAGS))


def test_a_changed_definition_is_updated() -> None:
    service = holding(TWO_BRANCHES)
    assert put(service) == "updated"
    (request,) = service.sent("UpdatePipeline")
    assert request["PipelineDefinition"] == NO_GATE
    assert "PipelineDescription" not in request


@pytest.mark.parametrize("text", [NO_GATE, json.dumps(json.loads(NO_GATE), indent=2)])
def test_an_unchanged_definition_is_left_alone_however_it_is_formatted(text: str) -> None:
    service = holding(text, description="finds fraud")
    assert put(service) == "unchanged"
    assert service.names() == ["DescribePipeline"]


@pytest.mark.parametrize(
    "order", [replace(ORDER, role_arn=ROLE + "-other"), replace(ORDER, description="finds more fraud")]
)
def test_another_role_or_description_is_an_update(order: PipelineOrder) -> None:
    assert put(holding(NO_GATE, description="finds fraud"), order) == "updated"


def test_tags_are_added_to_a_pipeline_that_exists() -> None:
    service = holding(NO_GATE)
    assert put(service, replace(ORDER, tags=TAGS)) == "unchanged"
    assert service.sent("AddTags") == [{"ResourceArn": PIPELINE, "Tags": list(TAGS)}]


def test_a_refusal_is_no_missing_pipeline() -> None:
    service = Script({"DescribePipeline": ServiceRefusal("AccessDeniedException", "not yours")})
    with pytest.raises(ClientError, match="not yours"):
        put(service)
    assert service.names() == ["DescribePipeline"]


LONG = definition([step(f"Step{number}", "Processing", Description="x" * 1000) for number in range(110)])


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[boto3.Session]:
    """S3 of this machine, for a service whose answers are scripted."""
    opened = session(tmp_path / "root", region="eu-west-1")
    yield opened
    opened.close()


def stored(session: boto3.Session) -> dict[str, str]:
    """Every object of every bucket."""
    client = session.client("s3")
    return {
        f"{bucket['Name']}/{item['Key']}": client.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"]
        .read()
        .decode()
        for bucket in client.list_buckets()["Buckets"]
        for item in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
    }


def test_a_long_definition_goes_by_way_of_s3_under_its_hash(buckets: boto3.Session) -> None:
    service = Script(
        {
            "DescribePipeline": ServiceRefusal("ResourceNotFound", "no such pipeline"),
            "CreatePipeline": {"PipelineArn": PIPELINE},
        }
    )
    assert upsert(service.session.client("sagemaker"), replace(ORDER, definition=LONG), buckets) == "created"
    (request,) = service.sent("CreatePipeline")
    bucket, key = "sagemaker-eu-west-1-000000000000", hashlib.sha256(LONG.encode()).hexdigest()
    location = {"Bucket": bucket, "ObjectKey": f"pipelines/fraud/definitions/{key}.json"}
    assert request["PipelineDefinitionS3Location"] == location
    assert "PipelineDefinition" not in request
    assert stored(buckets) == {f"{bucket}/{location['ObjectKey']}": LONG}


def test_a_long_definition_that_is_unchanged_goes_nowhere(buckets: boto3.Session) -> None:
    service = holding(json.dumps(json.loads(LONG), indent=1))
    order = replace(ORDER, definition=LONG)
    assert upsert(service.session.client("sagemaker"), order, buckets) == "unchanged"
    assert stored(buckets) == {}


def test_a_bucket_that_was_named_and_is_missing_is_told_and_nothing_is_updated(buckets: boto3.Session) -> None:
    service = holding(NO_GATE)
    order = replace(ORDER, definition=LONG, bucket="no-such-bucket-of-ours")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        upsert(service.session.client("sagemaker"), order, buckets)
    assert service.names() == ["DescribePipeline"]


def test_a_long_definition_stands_on_this_machine_as_it_was_sent(tmp_path: Path) -> None:
    steps = [condition(f"Step{number}", ALWAYS) for number in range(1000)]
    order = replace(ORDER, definition=local_definition(*steps))
    assert len(order.definition) > INLINE_BYTES
    opened = session(tmp_path / "root")
    client = opened.client("sagemaker")
    assert [upsert(client, order, opened) for _ in range(2)] == ["created", "unchanged"]
    assert client.describe_pipeline(PipelineName="fraud")["PipelineDefinition"] == order.definition
    opened.close()
