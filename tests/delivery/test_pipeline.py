"""Bringing the service's pipeline to what is ordered."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sagemaker.type_defs import TagTypeDef

from pipelines.delivery.pipeline import Change, PipelineOrder, upsert
from tests.delivery.pipelines import NO_GATE, TWO_BRANCHES
from tests.delivery.scripted import PIPELINE, ROLE, Document, Script, ServiceRefusal

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
