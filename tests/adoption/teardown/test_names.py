"""Which names are a project's own: those that deploy-model gives, and no neighbour's."""

import pytest

from pipelines.adoption.teardown.names import Names, execution_of_model
from pipelines.delivery.deployment.names import versioned_name

GROUP = "fraud-detection"
LONG = "a-group-whose-name-has-as-many-letters-as-a-name-may-have-at-al"
NAMES = Names(GROUP, GROUP, "fraud")


@pytest.mark.parametrize("group", [GROUP, "f", LONG, LONG[:50], "x-v1-0123abcd"])
@pytest.mark.parametrize("version", [1, 12345])
def test_what_deploy_model_calls_its_own_is_recognised(group: str, version: int) -> None:
    names = Names("any", group, "any")
    assert names.may_be_model(versioned_name(group, "", version, {}))
    for stage in ("staging", "production"):
        assert names.may_be_config(versioned_name(group, f"-{stage}", version, {}))


@pytest.mark.parametrize(
    "group", ["fraud-detection-2", "fraud", "fraud-detection-staging", "my-fraud-detection", "fraud-detection-v1", LONG]
)
def test_what_it_calls_a_neighbours_is_not(group: str) -> None:
    assert not NAMES.may_be_model(versioned_name(group, "", 1, {}))
    assert not NAMES.may_be_config(versioned_name(group, "-staging", 1, {}))


@pytest.mark.parametrize(
    "name",
    ["fraud-detection", "fraud-detection-v1", "fraud-detection-v1-0123ABCD", "fraud-detection-vx-0123abcd", "fraud"],
)
def test_neither_are_names_that_people_give(name: str) -> None:
    assert not NAMES.may_be_model(name)
    assert not NAMES.may_be_config(name)


def test_a_model_of_an_execution_tells_which_one() -> None:
    assert execution_of_model("pipelines-lhy0cuf8wksi-CreateTunedModel-50eceab7a1") == "lhy0cuf8wksi"
    assert execution_of_model("fraud-detection-v1-0123abcd") is None


def test_the_prefixes_of_a_bucket_end_where_a_neighbours_name_goes_on() -> None:
    prefixes = NAMES.prefixes(["claims"])
    assert prefixes == (
        "fraud/",
        "pipelines/fraud-detection/",
        "data-capture/claims/",
        "data-capture/fraud-detection-production/",
        "data-capture/fraud-detection-staging/",
    )
    assert not "fraud-2/data".startswith(prefixes)
