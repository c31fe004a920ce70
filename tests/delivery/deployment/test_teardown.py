"""deploy-model --teardown removes what was made for a stage, and nothing else."""

from dataclasses import replace

import pytest

from tests.delivery.deployment.scenes import PRODUCTION, STAGING, Scene


@pytest.fixture
def scene() -> Scene:
    """Both stages serve, production after an update, and another endpoint of the group's does too."""
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.deploy(PRODUCTION, "1")
    scene.deploy(PRODUCTION, "2")
    scene.deploy(replace(PRODUCTION, endpoint="fraud-europe"), "2")
    scene.forget()
    return scene


def test_all_that_was_made_for_the_stage_is_removed_and_listed(scene: Scene) -> None:
    result = scene.tear_down(PRODUCTION)
    assert (result.action, result.outcome, result.exit_code) == ("teardown", "torn_down", 0)
    assert sorted(change.partition(" fraud")[0] for change in result.changes) == [
        "deleted alarm",
        "deleted alarm",
        "deleted endpoint",
        "deleted endpoint config",
        "deleted endpoint config",
        "deleted model",
        "deleted model",
    ]
    assert set(scene.aws.endpoints.there) == {"fraud-staging", "fraud-europe"}
    assert set(scene.aws.alarms) == {"fraud-europe-errors", "fraud-europe-latency"}
    assert len(scene.aws.configs) == len(scene.aws.models) == 2


def test_what_others_need_still_serves(scene: Scene) -> None:
    scene.tear_down(PRODUCTION)
    assert scene.deploy(STAGING, "1").outcome == "unchanged"
    assert scene.deploy(replace(PRODUCTION, endpoint="fraud-europe"), "2").outcome == "unchanged"


def test_a_second_time_there_is_nothing_to_remove(scene: Scene) -> None:
    scene.tear_down(PRODUCTION)
    scene.forget()
    result = scene.tear_down(PRODUCTION)
    assert (result.outcome, result.changes, scene.aws.changing()) == ("torn_down", (), [])
    assert "there was nothing to remove" in result.reason


def test_one_resource_is_one() -> None:
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.aws.tags = {arn: tags for arn, tags in scene.aws.tags.items() if ":endpoint/" in arn}
    assert scene.tear_down(STAGING).reason == "endpoint fraud-staging: removed 1 resource"


def test_what_has_the_name_of_an_alarm_but_watches_something_else_stays(scene: Scene) -> None:
    scene.aws.alarms["fraud-production-errors"]["Dimensions"] = [{"Name": "EndpointName", "Value": "other"}]
    scene.tear_down(PRODUCTION)
    assert "fraud-production-errors" in scene.aws.alarms


def test_models_and_configs_without_the_tags_stay(scene: Scene) -> None:
    scene.aws.tags = {arn: tags for arn, tags in scene.aws.tags.items() if ":endpoint/" in arn}
    result = scene.tear_down(PRODUCTION)
    assert "DeleteModel" not in scene.aws.changing()
    assert "DeleteEndpointConfig" not in scene.aws.changing()
    assert len(result.changes) == 3
