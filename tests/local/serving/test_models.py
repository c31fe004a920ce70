"""What a Model of the registry gives its container."""

from pathlib import Path

import pytest

from pipelines.local.database import Database, Document
from pipelines.local.errors import ServiceError, ValidationError
from pipelines.local.registry import Registry
from pipelines.local.serving.models import HostedModel, hosted_model
from tests.local.serving.served import XGBOOST

CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://models/model.tar.gz"}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.sqlite")


@pytest.fixture
def registry(database: Database) -> Registry:
    return Registry(database, lambda resource: f"arn:aws:sagemaker:us-east-1:000000000000:{resource}")


def register(registry: Registry, container: Document) -> str:
    registry.create_group("fraud")
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    request = {"ModelPackageGroupName": "fraud", "ModelApprovalStatus": "Approved"}
    package = registry.create_package({**request, "InferenceSpecification": specification})
    return str(package["ModelPackageArn"])


def test_a_model_has_its_image_data_and_variables(database: Database, registry: Registry) -> None:
    registry.create_model("own", {"PrimaryContainer": {**CONTAINER, "Environment": {"A": "1"}}})
    assert hosted_model(database, "own") == HostedModel("own", XGBOOST, "s3://models/model.tar.gz", {"A": "1"})


@pytest.mark.parametrize("many", [True, False])
def test_a_model_of_a_package_has_what_that_says_and_its_own_variables_win(
    database: Database, registry: Registry, *, many: bool
) -> None:
    arn = register(registry, {**CONTAINER, "Environment": {"A": "package", "B": "package"}})
    container = {"ModelPackageName": arn, "Environment": {"A": "model"}}
    registry.create_model("own", {"Containers": [container]} if many else {"PrimaryContainer": container})
    variables = {"A": "model", "B": "package"}
    assert hosted_model(database, "own") == HostedModel("own", XGBOOST, "s3://models/model.tar.gz", variables)


def test_a_model_may_name_its_data_as_a_source(database: Database, registry: Registry) -> None:
    source = {"S3Uri": "s3://models/m.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}
    registry.create_model("own", {"PrimaryContainer": {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": source}}})
    assert hosted_model(database, "own").data == "s3://models/m.tar.gz"


def test_a_model_that_is_not_packed_is_refused(database: Database, registry: Registry) -> None:
    source = {"S3Uri": "s3://models/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    registry.create_model("own", {"PrimaryContainer": {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": source}}})
    with pytest.raises(ValidationError, match=r"^Model 'own': ModelDataSource .* give one model.tar.gz"):
        hosted_model(database, "own")


@pytest.mark.parametrize("containers", [[], [CONTAINER, CONTAINER]])
def test_a_model_of_several_containers_or_none_is_refused(
    database: Database, registry: Registry, containers: list[Document]
) -> None:
    registry.create_model("own", {"Containers": containers} if containers else {})
    with pytest.raises(ValidationError, match=f"Model 'own' has {len(containers)} containers"):
        hosted_model(database, "own")


def test_an_image_that_this_machine_has_not_is_refused(database: Database, registry: Registry) -> None:
    registry.create_model("own", {"PrimaryContainer": {"Image": "example.com/other:1"}})
    with pytest.raises(ValidationError, match=r"'example.com/other:1' does not run on this machine"):
        hosted_model(database, "own")


def test_a_model_or_package_that_is_not_there_is_named(database: Database, registry: Registry) -> None:
    with pytest.raises(ServiceError, match='Could not find model "own"'):
        hosted_model(database, "own")
    arn = register(registry, CONTAINER)
    registry.create_model("own", {"Containers": [{"ModelPackageName": arn}]})
    registry.delete_package(arn)
    with pytest.raises(ServiceError, match=f"Model package {arn} does not exist"):
        hosted_model(database, "own")
