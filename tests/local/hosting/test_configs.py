"""Endpoint configurations: kept as they are asked for, refused when they cannot be served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.documents import ROLE, XGBOOST
from tests.local.hosted import Hosting, hosting, variant

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config"
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 20,
    "DestinationS3Uri": "s3://bucket/captured",
    "KmsKeyId": "key",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Hosting]:
    with hosting(tmp_path / "root") as made:
        yield made


def refusal(site: Hosting, *variants: Any, **more: Any) -> str:
    """Return why a configuration is refused; nothing is left of it."""
    with pytest.raises(ClientError) as caught:
        site.add_config("config", *variants, **more)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    message = caught.value.response["Error"]["Message"]
    assert "\n" not in message
    assert site.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    return str(message)


def test_a_config_is_described_as_it_was_created(site: Hosting) -> None:
    tags = [{"Key": "team", "Value": "claims"}]
    created = site.sagemaker.create_endpoint_config(
        EndpointConfigName="config",
        ProductionVariants=[variant("a"), variant("b", InitialVariantWeight=0.5)],
        DataCaptureConfig=CAPTURE,
        KmsKeyId="key",
        Tags=tags,
    )
    assert created["EndpointConfigArn"] == f"{ARN}/config"
    described = site.sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert (described["EndpointConfigArn"], described["KmsKeyId"]) == (f"{ARN}/config", "key")
    assert described["DataCaptureConfig"] == CAPTURE
    assert described["ProductionVariants"] == [
        variant("a", InitialVariantWeight=1.0),
        variant("b", InitialVariantWeight=0.5),
    ]
    assert site.sagemaker.list_tags(ResourceArn=f"{ARN}/config")["Tags"] == tags


def test_configs_are_listed_newest_first_by_part_of_the_name_and_in_pages(site: Hosting) -> None:
    for name in ("claims-a", "claims-b", "other"):
        site.add_config(name)
    pages = site.sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains="claims", PaginationConfig={"PageSize": 1}
    )
    assert [[config["EndpointConfigName"] for config in page["EndpointConfigs"]] for page in pages] == [
        ["claims-b"],
        ["claims-a"],
    ]
    by_name = site.sagemaker.list_endpoint_configs(SortBy="Name", SortOrder="Ascending")["EndpointConfigs"]
    assert [config["EndpointConfigArn"] for config in by_name] == [
        f"{ARN}/{name}" for name in ("claims-a", "claims-b", "other")
    ]


def test_a_deleted_config_leaves_no_tags_for_the_next_of_its_name(site: Hosting) -> None:
    site.add_config("config", Tags=[{"Key": "team", "Value": "claims"}])
    site.sagemaker.delete_endpoint_config(EndpointConfigName="config")
    assert site.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    site.add_config("config")
    assert site.sagemaker.list_tags(ResourceArn=f"{ARN}/config")["Tags"] == []


def test_a_config_is_created_once(site: Hosting) -> None:
    site.add_config("config")
    with pytest.raises(ClientError) as caught:
        site.add_config("config", variant("other"))
    message = f'Cannot create already existing endpoint configuration "{ARN}/config".'
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": message}
    described = site.sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert [found["VariantName"] for found in described["ProductionVariants"]] == ["primary"]


@pytest.mark.parametrize("operation", ["describe_endpoint_config", "delete_endpoint_config"])
def test_a_config_that_is_not_there_is_not_found(site: Hosting, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(site.sagemaker, operation)(EndpointConfigName="ghost")
    message = f'Could not find endpoint configuration "{ARN}/ghost".'
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": message}


def test_a_model_that_is_not_there_is_not_found(site: Hosting) -> None:
    message = 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/ghost".'
    assert refusal(site, variant(model="ghost")) == message


def test_a_model_that_this_machine_cannot_serve_is_refused(site: Hosting) -> None:
    containers = [{"Image": XGBOOST, "ModelDataUrl": "s3://bucket/a"}, {"Image": XGBOOST}]
    site.sagemaker.create_model(ModelName="pipeline", ExecutionRoleArn=ROLE, Containers=containers)
    assert "'pipeline' has 2 containers" in refusal(site, variant(model="pipeline"))


@pytest.mark.parametrize(
    ("member", "value"), [("Mode", "MultiModel"), ("MultiModelConfig", {"ModelCacheSetting": "Enabled"})]
)
def test_a_model_of_many_models_is_refused(site: Hosting, member: str, value: Any) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://bucket/models/", member: value}
    site.sagemaker.create_model(ModelName="many", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    assert f"Model 'many': {member} is {value!r}" in refusal(site, variant(model="many"))


def test_variants_have_names_of_their_own(site: Hosting) -> None:
    assert "the VariantName 'a' is there twice" in refusal(site, variant("a"), variant("a"))


def test_some_variant_has_a_weight(site: Hosting) -> None:
    assert "every InitialVariantWeight is 0" in refusal(site, variant(InitialVariantWeight=0))


@pytest.mark.parametrize("member", ["ModelName", "InstanceType", "InitialInstanceCount"])
def test_a_variant_is_complete(site: Hosting, member: str) -> None:
    incomplete = {name: value for name, value in variant().items() if name != member}
    assert refusal(site, incomplete) == f"ProductionVariants['primary'].{member} is missing."


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}}, "AsyncInferenceConfig is"),
        ({"ShadowProductionVariants": [variant("shadow")]}, "ShadowProductionVariants is"),
        ({"DataCaptureConfig": CAPTURE | {"DestinationS3Uri": "https://bucket/captured"}}, "DestinationS3Uri"),
        ({"DataCaptureConfig": CAPTURE | {"InitialSamplingPercentage": 101}}, "at most 100"),
        ({"DataCaptureConfig": CAPTURE | {"CaptureOptions": [{"CaptureMode": "All"}]}}, "enum value set"),
    ],
)
def test_what_this_machine_does_not_do_is_refused(site: Hosting, more: Any, reason: str) -> None:
    assert reason in refusal(site, **more)


def test_serverless_variants_are_refused(site: Hosting) -> None:
    serverless = {
        "VariantName": "a",
        "ModelName": "echo",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    assert "ServerlessConfig" in refusal(site, serverless)
    assert "use InstanceType and InitialInstanceCount" in refusal(site, serverless)
