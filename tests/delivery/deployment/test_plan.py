"""The same wish has the same names, and another wish has others."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.delivery.deployment.names import LONGEST, endpoint_name
from pipelines.delivery.deployment.order import Order
from pipelines.delivery.deployment.plan import make_plan
from pipelines.delivery.errors import UsageError
from pipelines.delivery.packages import ModelPackage, describe
from tests.delivery.deployment.fake_aws import ROLE
from tests.delivery.deployment.scenes import PRODUCTION, STAGING, Scene

VPC = {"Subnets": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}


@pytest.fixture
def package() -> ModelPackage:
    scene = Scene()
    return describe(scene.aws.session.client("sagemaker"), scene.add(1))


def names(package: ModelPackage, order: Order) -> tuple[str, str]:
    plan = make_plan(package, order)
    return plan.model_request["ModelName"], plan.config


def test_the_same_wish_has_the_same_names(package: ModelPackage) -> None:
    assert names(package, PRODUCTION) == names(package, PRODUCTION)


@pytest.mark.parametrize(
    "change",
    [
        {"role_arn": f"{ROLE}2"},
        {"instance_type": "ml.m5.xlarge"},
        {"instance_count": 3},
        {"capture": None},
        {"kms_key": "key"},
        {"vpc": VPC},
        {"endpoint": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_wish_has_another_config(package: ModelPackage, change: dict[str, Any]) -> None:
    assert names(package, replace(PRODUCTION, **change))[1] != names(package, PRODUCTION)[1]


def test_a_model_is_in_the_vpc_that_is_wished_and_has_another_name_there(package: ModelPackage) -> None:
    outside, inside = make_plan(package, STAGING), make_plan(package, replace(STAGING, vpc=VPC))
    assert "VpcConfig" not in outside.model_request
    assert inside.model_request["VpcConfig"] == VPC
    assert inside.model_request["Containers"] == [{"ModelPackageName": package.arn}]
    assert inside.model_request["ModelName"] != outside.model_request["ModelName"]


def test_tags_are_given_to_all_and_change_no_name(package: ModelPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_PROJECT_NAME", "claims")
    tagged = replace(STAGING, tags=({"Key": "team", "Value": "fraud"},))
    assert names(package, tagged) == names(package, STAGING)
    plan = make_plan(package, tagged)
    for request in (plan.model_request, plan.config_request):
        assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == {
            "deploy-model:endpoint": "fraud-staging",
            "deploy-model:stage": "staging",
            "team": "fraud",
            "sagemaker:project-name": "claims",
        }


def test_a_long_group_is_cut_so_that_every_name_is_one(package: ModelPackage) -> None:
    long = replace(package, group="a" * 30 + "-" * 3 + "b" * 30, version=123456789)
    for name in names(long, PRODUCTION):
        assert len(name) <= LONGEST
        assert "v123456789-" in name
        endpoint_name("", "", name)


def test_a_long_group_is_cut_in_the_endpoints_name_and_told_from_another() -> None:
    one, other = (endpoint_name("g" * 62 + letter, "production", None) for letter in "ab")
    assert one != other
    assert len(one) == len(other) == LONGEST
    assert one.endswith("-production")
    assert one == endpoint_name("g" * 62 + "a", "production", None)
    assert endpoint_name("g" * 55, "staging", None) == f"{'g' * 55}-staging"


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "a" * 64, "ä"])
def test_what_is_no_endpoints_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="give --endpoint-name"):
        endpoint_name("fraud", "staging", name)
    with pytest.raises(UsageError, match="give --endpoint-name"):
        endpoint_name(f"a{name}", "_", None)


def test_without_a_role_there_is_no_plan(package: ModelPackage) -> None:
    with pytest.raises(UsageError, match="--role-arn is needed in AWS"):
        make_plan(package, replace(STAGING, role_arn=None))
