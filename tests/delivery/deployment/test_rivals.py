"""Several commands at one endpoint at once: none gets a verdict on what another deployed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import current_thread, main_thread

import pytest

from pipelines.delivery.deployment.rivals import TEST_SECONDS, RivalError
from pipelines.delivery.errors import DeliveryError, InterruptionError
from tests.delivery.deployment.fake_endpoints import Endpoint
from tests.delivery.deployment.scenes import BROKEN, STAGING, Scene
from tests.delivery.deployment.service import Document

NAME = STAGING.endpoint


@pytest.fixture
def scene() -> Scene:
    """Version 1 serves in staging, and 3 is approved as well as 2."""
    scene = Scene()
    scene.add(3)
    scene.deploy(STAGING, "1")
    scene.forget()
    return scene


def at_first(scene: Scene, operation: str, act: Callable[[], object]) -> None:
    """Let another command act right before the first request of an operation that the first command sends."""
    done: list[str] = []

    def before(called: str, _: Document) -> None:
        # The rows that are sent meanwhile come from another thread.
        if called == operation and not done and current_thread() is main_thread():
            done.append(called)
            act()

    scene.aws.before = before


def endpoint(scene: Scene) -> Endpoint:
    return scene.aws.endpoints.there[NAME]


def memory(scene: Scene) -> dict[str, str]:
    """Return the versions that the endpoint remembers."""
    (tags,) = (tags for arn, tags in scene.aws.tags.items() if ":endpoint/" in arn)
    remembered = {key.rpartition(":")[2]: value for key, value in tags.items()}
    return {key: remembered[key].split("-")[2] for key in ("tested", "previous") if key in remembered}


def leave_untested(scene: Scene, version: str, seconds: float = 5.0) -> str:
    """Let a version serve since so many seconds whose test was not finished; return its config."""
    scene.aws.endpoints.moment = datetime.now(UTC) - timedelta(seconds=seconds)
    at_first(scene, "InvokeEndpoint", scene.interrupt.set)
    with pytest.raises(InterruptionError):
        scene.deploy(STAGING, version)
    scene.interrupt.clear()
    scene.forget()
    return endpoint(scene).config


def pass_test(scene: Scene, config: str) -> None:
    """Write down as the other command does that its config has passed."""
    (tags,) = (tags for arn, tags in scene.aws.tags.items() if ":endpoint/" in arn)
    tags |= {"deploy-model:previous": tags["deploy-model:tested"], "deploy-model:tested": config}


@pytest.mark.parametrize(("rival_passes", "serves"), [(True, 3), (False, 1)])
def test_a_version_that_is_replaced_during_its_test_is_neither_praised_nor_blamed(
    scene: Scene, rival_passes: bool, serves: int
) -> None:
    if not rival_passes:
        scene.aws.endpoints.models[3] = BROKEN
    at_first(scene, "InvokeEndpoint", lambda: scene.deploy(STAGING, "3"))
    with pytest.raises(RivalError) as caught:
        scene.deploy(STAGING, "2")
    assert str(caught.value).startswith(
        f"another command changed endpoint {NAME} meanwhile: it serves {NAME}-v{serves}-"
    )
    assert str(caught.value).endswith(f"(fraud/{serves}); run again")
    assert (scene.serving(STAGING), scene.stage(2)) == (serves, None)
    assert scene.stage(3) == ("staging", "Deployed" if rival_passes else "RolledBack")
    assert memory(scene)["tested"] == f"v{serves}"


@pytest.mark.parametrize(("rival_passes", "serves"), [(True, 3), (False, 1)])
def test_a_version_that_is_replaced_before_its_test_is_not_taken_for_one_that_the_service_turned_back(
    scene: Scene, rival_passes: bool, serves: int
) -> None:
    if not rival_passes:
        scene.aws.endpoints.models[3] = BROKEN
    done: list[str] = []

    def before(operation: str, _: Document) -> None:
        if operation == "DescribeEndpoint" and not done and len(endpoint(scene).states) == 1:
            done.append(operation)
            scene.deploy(STAGING, "3")

    scene.aws.before = before
    with pytest.raises(RivalError, match=f"it serves {NAME}-v{serves}-"):
        scene.deploy(STAGING, "2")
    assert (scene.serving(STAGING), scene.stage(2)) == (serves, None)


def test_an_endpoint_that_is_torn_down_during_the_test_is_said_to_be_gone(scene: Scene) -> None:
    at_first(scene, "InvokeEndpoint", lambda: scene.tear_down(STAGING))
    with pytest.raises(RivalError, match=f"another command changed endpoint {NAME} meanwhile: it is gone; run again"):
        scene.deploy(STAGING, "2")
    assert (scene.serving(STAGING), scene.stage(2), scene.aws.models) == (None, None, {})


def test_an_update_that_goes_on_at_the_end_of_the_test_is_said(scene: Scene) -> None:
    config = endpoint(scene).config

    def update() -> None:
        scene.aws.endpoints.UpdateEndpoint({"EndpointName": NAME, "EndpointConfigName": config})

    at_first(scene, "InvokeEndpoint", update)
    with pytest.raises(RivalError, match=f"meanwhile: it is Updating to {config}; run again"):
        scene.deploy(STAGING, "2")
    assert len(scene.aws.sent("UpdateEndpoint")) == 1


def test_an_endpoint_that_came_back_during_the_test_is_tested_again(scene: Scene) -> None:
    def touch() -> None:
        endpoint(scene).modified += timedelta(seconds=1)

    at_first(scene, "InvokeEndpoint", touch)
    assert scene.deploy(STAGING, "2").outcome == "deployed"
    assert "was changed during its test" in scene.out.getvalue()
    scene.aws.before = lambda operation, _: touch() if operation == "InvokeEndpoint" else None
    with pytest.raises(DeliveryError, match="was changed during each of 3 tests: try again later"):
        scene.deploy(STAGING, "2")


def test_what_another_command_deployed_after_a_failed_test_is_not_taken_back(scene: Scene) -> None:
    scene.aws.endpoints.models[3] = BROKEN
    at_first(scene, "UpdateModelPackage", lambda: scene.deploy(STAGING, "2"))
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("failed", 1, 2)
    assert f"another command changed endpoint {NAME} meanwhile: it serves {NAME}-v2-" in result.reason
    assert (scene.stage(2), scene.stage(3)) == (("staging", "Deployed"), ("staging", "RolledBack"))


def test_what_serves_again_is_not_said_to_pass_when_another_command_replaces_it(scene: Scene) -> None:
    scene.aws.endpoints.models[3] = BROKEN
    tests: list[str] = []

    def before(operation: str, _: Document) -> None:
        is_again = len(scene.aws.sent("UpdateEndpoint")) == 2 and scene.serving(STAGING) == 1
        if operation == "InvokeEndpoint" and is_again and not tests:
            tests.append(operation)
            scene.deploy(STAGING, "2")

    scene.aws.before = before
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, result.exit_code, result.fallback_test) == ("rolled_back", 1, None)
    assert "(fraud/1) served again; then another command changed endpoint" in result.reason
    assert result.serving
    assert result.serving.package
    assert result.serving.package.version == scene.serving(STAGING) == 2


def test_an_endpoint_that_failed_a_moment_ago_is_not_taken_for_being_tested(scene: Scene) -> None:
    leave_untested(scene, "2")
    scene.aws.before = lambda operation, request: None
    endpoint(scene).now = {"EndpointStatus": "Failed", "FailureReason": "no capacity"}
    assert scene.deploy(STAGING, "3").outcome == "deployed"
    assert "has not passed its test yet" not in scene.out.getvalue()


def test_a_version_that_another_command_tests_is_waited_for_and_remembered(scene: Scene) -> None:
    config = leave_untested(scene, "2")
    waiting: list[str] = []

    def finish(operation: str, _: Document) -> None:
        waiting.append(operation)
        if operation == "ListTags" and waiting.count("ListTags") == 3:
            pass_test(scene, config)
        assert operation != "UpdateEndpoint" or waiting.count("ListTags") > 3

    scene.aws.before = finish
    assert scene.deploy(STAGING, "3").outcome == "deployed"
    assert f"{config} serves at endpoint {NAME} and has not passed its test yet" in scene.out.getvalue()
    assert memory(scene) == {"tested": "v3", "previous": "v2"}
    assert scene.roll_back(STAGING).outcome == "returned"
    assert scene.serving(STAGING) == 2


def test_a_test_that_never_ends_is_not_waited_for_too_long(scene: Scene) -> None:
    leave_untested(scene, "2")

    def pass_time(operation: str, _: Document) -> None:
        scene.aws.endpoints.seconds += TEST_SECONDS / 3 * (operation == "DescribeEndpoint")

    scene.aws.before = pass_time
    assert scene.deploy(STAGING, "3").outcome == "deployed"
    assert ", 55 seconds at most" in scene.out.getvalue()
    assert memory(scene) == {"tested": "v3", "previous": "v1"}


def test_what_was_left_untested_long_ago_is_not_waited_for(scene: Scene) -> None:
    leave_untested(scene, "2", seconds=TEST_SECONDS + 1)
    scene.aws.before = lambda operation, request: None
    assert scene.deploy(STAGING, "3").outcome == "deployed"
    assert "has not passed its test yet" not in scene.out.getvalue()


def test_a_rollback_waits_for_no_test(scene: Scene) -> None:
    leave_untested(scene, "2")
    scene.aws.before = lambda operation, request: None
    assert scene.roll_back(STAGING).outcome == "returned"
    assert "has not passed its test yet" not in scene.out.getvalue()


@pytest.mark.parametrize("passes", [True, False])
def test_a_version_that_passed_while_the_next_was_released_is_the_one_to_go_back_to(scene: Scene, passes: bool) -> None:
    config = leave_untested(scene, "2", seconds=TEST_SECONDS + 1)
    if not passes:
        scene.aws.endpoints.models[3] = BROKEN
    at_first(scene, "UpdateEndpoint", lambda: pass_test(scene, config))
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, scene.serving(STAGING)) == (("deployed", 3) if passes else ("rolled_back", 2))
    assert memory(scene) == ({"tested": "v3", "previous": "v2"} if passes else {"tested": "v2", "previous": "v1"})


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_teardown_keeps_what_another_command_deploys_meanwhile(scene: Scene, version: str) -> None:
    at_first(scene, "DescribeAlarms", lambda: scene.deploy(STAGING, version))
    with pytest.raises(RivalError, match=f"changed endpoint {NAME} meanwhile: it serves {NAME}-v{version}-"):
        scene.tear_down(STAGING)
    assert scene.serving(STAGING) == int(version)
    assert [name.split("-")[2] for name in scene.aws.configs] == [f"v{version}"]
    assert [name.split("-")[1] for name in scene.aws.models] == [f"v{version}"]
    assert scene.stage(int(version)) == ("staging", "Deployed")
    assert scene.tear_down(STAGING).outcome == "torn_down"


def test_a_teardown_waits_for_an_update_that_begins_at_the_same_moment(scene: Scene) -> None:
    def update() -> None:
        request = {"EndpointName": NAME, "EndpointConfigName": endpoint(scene).config}
        scene.aws.endpoints.UpdateEndpoint(request)

    at_first(scene, "DeleteEndpoint", update)
    assert scene.tear_down(STAGING).outcome == "torn_down"
    assert "was changed by somebody else at this moment: looking again" in scene.out.getvalue()


def test_a_config_that_a_teardown_removes_is_made_again(scene: Scene) -> None:
    at_first(scene, "UpdateEndpoint", lambda: scene.tear_down(STAGING))
    assert scene.deploy(STAGING, "2").outcome == "deployed"
    assert scene.serving(STAGING) == 2
    assert "was changed by somebody else at this moment: looking again" in scene.out.getvalue()


def test_a_model_that_a_teardown_removes_while_the_endpoint_starts_is_no_fault_of_its_package(scene: Scene) -> None:
    scene.tear_down(STAGING)
    scene.forget()

    def before(operation: str, _: Document) -> None:
        if operation == "DescribeEndpoint" and scene.aws.sent("CreateEndpoint") and scene.aws.models:
            scene.aws.models.clear()
            reason = {"EndpointStatus": "Failed", "FailureReason": 'Could not find model "x".'}
            endpoint(scene).states = [reason]

    scene.aws.before = before
    with pytest.raises(
        RivalError, match=r"another command removed model fraud-v2-\w+ meanwhile, which endpoint .* run"
    ):
        scene.deploy(STAGING, "2")
    assert scene.stage(2) is None
    scene.aws.before = lambda operation, request: None
    assert scene.deploy(STAGING, "2").outcome == "deployed"
