"""The VPC of the settings: in every job and model of the definition, or nowhere."""

import json

import pytest
from botocore.session import Session
from botocore.validate import validate_parameters

from pipelines.fraud import settings
from pipelines.local.cache import KEY_MEMBERS, key_members
from tests.fraud.compiling import Account, Json, flat

SUBNETS, GROUPS = ["subnet-0a", "subnet-0b"], ["sg-0a"]
VPC = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}
DATA = "s3://ours/claims/"


def compiled(account: Account, subnets: list[str], groups: list[str]) -> Json:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SUBNETS", subnets)
        patch.setattr(settings, "SECURITY_GROUPS", groups)
        return json.loads(account.compile(input_data=DATA))


@pytest.fixture
def inside(account: Account) -> Json:
    return compiled(account, SUBNETS, GROUPS)


@pytest.fixture
def outside(account: Account) -> Json:
    return compiled(account, [], [])


def networks(value: Json) -> list[Json]:
    """All that is said of a VPC, wherever it stands."""
    if isinstance(value, list):
        return [found for each in value for found in networks(each)]
    if not isinstance(value, dict):
        return []
    own = [value["VpcConfig"]] if "VpcConfig" in value else []
    return own + [found for each in value.values() for found in networks(each)]


def without_network(value: Json) -> Json:
    if isinstance(value, list):
        return [without_network(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: each for name, each in value.items() if name not in {"NetworkConfig", "VpcConfig"}}
    return {name: without_network(each) for name, each in kept.items()}


def test_every_job_and_model_is_in_the_vpc(inside: Json) -> None:
    steps = flat(inside)
    assert {name: networks(step["Arguments"]) for name, step in steps.items() if step["Type"] != "Condition"} == {
        "Preprocess": [VPC],
        "Train": [VPC],
        "Evaluate": [VPC],
        "EvaluateTuned": [VPC],
        "Tune": [VPC],
        "CreateModel": [VPC],
        "CreateTunedModel": [VPC],
        # A package is no place.
        "Register": [],
        "RegisterTuned": [],
    }


def test_each_request_says_it_where_the_service_reads_it(inside: Json) -> None:
    model = Session().get_service_model("sagemaker")
    network, vpc = model.shape_for("NetworkConfig"), model.shape_for("VpcConfig")
    steps = {name: step["Arguments"] for name, step in flat(inside).items()}
    for name in ("Preprocess", "Evaluate", "EvaluateTuned"):
        validate_parameters(steps[name]["NetworkConfig"], network)
        assert steps[name]["NetworkConfig"]["EnableNetworkIsolation"] is False
    places = (steps["Train"], steps["Tune"]["TrainingJobDefinition"], steps["CreateModel"], steps["CreateTunedModel"])
    for place in places:
        validate_parameters(place["VpcConfig"], vpc)


def test_without_a_vpc_the_definition_says_nothing_of_networks_and_is_else_the_same(
    inside: Json, outside: Json
) -> None:
    assert "Network" not in json.dumps(outside)
    assert networks(outside) == []
    assert json.dumps(without_network(inside)) == json.dumps(outside)


def test_moving_into_a_vpc_leaves_cached_results_valid(inside: Json, outside: Json) -> None:
    before, after = flat(outside), flat(inside)
    cached = {name: step["Type"] for name, step in before.items() if step["Type"] in KEY_MEMBERS}
    assert set(cached.values()) == {"Processing", "Training", "Tuning"}
    for name, kind in cached.items():
        assert key_members(kind, before[name]["Arguments"]) == key_members(kind, after[name]["Arguments"])
