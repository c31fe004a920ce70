"""deploy-model --rollback: to what served before, tested, and once."""

from contextlib import suppress
from threading import current_thread, main_thread

import pytest

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.errors import DeliveryError
from tests.delivery.deployment.scenes import BROKEN, PRODUCTION, STAGING, Scene
from tests.delivery.deployment.test_interruptions import Killed, go_on, kill_at


@pytest.fixture(params=[STAGING, PRODUCTION], ids=lambda order: order.stage)
def order(request: pytest.FixtureRequest) -> Order:
    chosen: Order = request.param
    return chosen


@pytest.fixture
def scene(order: Order) -> Scene:
    """Version 2 serves, before it version 1 did, and 3 is approved too."""
    scene = Scene()
    scene.deploy(order, "1")
    scene.deploy(order, "2")
    scene.add(3)
    scene.forget()
    return scene


def test_what_served_before_serves_again_and_is_tested(scene: Scene, order: Order) -> None:
    result = scene.roll_back(order)
    assert (result.action, result.outcome, result.exit_code) == ("rollback", "returned", 0)
    assert scene.serving(order) == 1
    assert result.test
    assert result.test.passed
    assert (scene.stage(1), scene.stage(2)) == ((order.stage, "Deployed"), (order.stage, "RolledBack"))


def test_it_goes_at_once_for_the_alarms_may_ring(scene: Scene, order: Order) -> None:
    for alarm in scene.aws.alarms.values():
        alarm["StateValue"] = "ALARM"
    scene.roll_back(order)
    (update,) = scene.aws.sent("UpdateEndpoint")
    assert "DeploymentConfig" not in update


def test_a_second_time_there_is_nothing_to_do(scene: Scene, order: Order) -> None:
    scene.roll_back(order)
    scene.forget()
    result = scene.roll_back(order)
    assert (result.outcome, result.exit_code, scene.serving(order)) == ("unchanged", 0, 1)
    assert scene.aws.changing() == []
    assert "was returned to fraud/1 before: there is nothing to do" in scene.out.getvalue()


def test_after_a_rollback_one_can_deploy_and_roll_back_again(scene: Scene, order: Order) -> None:
    scene.roll_back(order)
    assert scene.deploy(order, "3").outcome == "deployed"
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1


def test_where_the_one_before_is_approved_no_more_an_older_approved_one_is_taken(order: Order) -> None:
    scene = Scene()
    scene.add(3)
    for version in "123":
        scene.deploy(order, version)
    scene.aws.packages[2]["ModelApprovalStatus"] = "Rejected"
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1


def test_what_somebody_rejected_for_the_stage_is_not_returned_to_and_stays_rejected(order: Order) -> None:
    scene = Scene()
    scene.add(3)
    for version in "123":
        scene.deploy(order, version)
    for rejected in (2, 3):
        scene.aws.packages[rejected]["ModelLifeCycle"] = {"Stage": order.stage, "StageStatus": "Rejected"}
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1
    assert scene.stage(2) == scene.stage(3) == (order.stage, "Rejected")


def test_a_version_that_was_approved_for_the_stage_needs_a_new_approval_once_it_is_rolled_back(
    scene: Scene, order: Order
) -> None:
    scene.aws.packages[2]["ModelLifeCycle"] = {"Stage": order.stage, "StageStatus": "Approved"}
    scene.roll_back(order)
    assert scene.stage(2) == (order.stage, "RolledBack")


def test_where_nothing_older_is_approved_it_is_said(scene: Scene, order: Order) -> None:
    scene.aws.packages[1]["ModelApprovalStatus"] = "Rejected"
    with pytest.raises(DeliveryError, match="nothing to return to from fraud/2: no earlier version of fraud"):
        scene.roll_back(order)
    assert scene.aws.changing() == []


def test_after_a_rollback_one_can_go_on_to_an_older_version_which_is_said(order: Order) -> None:
    scene = Scene()
    scene.add(3)
    for version in "123":
        scene.deploy(order, version)
    scene.roll_back(order)
    scene.aws.packages[2]["ModelApprovalStatus"] = "Rejected"
    before = len(scene.out.getvalue())
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1
    assert scene.stage(2) == (order.stage, "RolledBack")
    assert "nothing to do" not in scene.out.getvalue()[before:]
    scene.aws.packages[1]["ModelApprovalStatus"] = "Rejected"
    with pytest.raises(DeliveryError, match="nothing to return to from fraud/1: no earlier version"):
        scene.roll_back(order)


@pytest.mark.parametrize("known", [True, False])
def test_a_version_that_was_deleted_from_the_registry_can_be_left(scene: Scene, order: Order, known: bool) -> None:
    if not known:
        (tags,) = (tags for arn, tags in scene.aws.tags.items() if ":endpoint/" in arn)
        del tags["deploy-model:previous"]
    del scene.aws.packages[2]
    result = scene.roll_back(order)
    assert (result.outcome, result.exit_code, scene.serving(order)) == ("returned", 0, 1)
    assert scene.stage(1) == (order.stage, "Deployed")
    scene.forget()
    assert scene.roll_back(order).outcome == "unchanged"
    assert scene.aws.changing() == []


def test_where_what_served_before_was_deleted_an_older_approved_one_is_taken(order: Order) -> None:
    scene = Scene()
    scene.add(3)
    for version in "123":
        scene.deploy(order, version)
    del scene.aws.packages[2]
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1


def test_without_an_endpoint_there_is_nothing_to_roll_back(order: Order) -> None:
    with pytest.raises(DeliveryError, match=f"there is no endpoint {order.endpoint}"):
        Scene().roll_back(order)


def test_a_version_that_fails_when_returned_to_is_taken_back_too(scene: Scene, order: Order) -> None:
    scene.aws.endpoints.models[1] = BROKEN
    result = scene.roll_back(order)
    assert (result.outcome, result.exit_code, scene.serving(order)) == ("rolled_back", 1, 2)


def test_a_rollback_that_was_killed_at_any_request_is_completed_by_the_next(order: Order) -> None:
    for rejected in (False, True):
        for number in range(1, 9):
            scene = Scene()
            scene.add(3)
            for version in "123":
                scene.deploy(order, version)
            if rejected:
                scene.aws.packages[2]["ModelApprovalStatus"] = "Rejected"
            scene.aws.before = kill_at(number)
            with suppress(Killed):
                scene.roll_back(order)
            scene.aws.before = go_on
            assert scene.roll_back(order).exit_code == 0
            assert scene.serving(order) == (1 if rejected else 2)
            assert scene.roll_back(order).outcome == "unchanged"


@pytest.mark.parametrize("version", ["1", "3"])
def test_a_version_that_was_never_tested_is_left_for_the_one_that_was(scene: Scene, order: Order, version: str) -> None:
    def kill(operation: str, _: object) -> None:
        # The rows that are sent meanwhile come from another thread.
        if operation == "InvokeEndpoint" and current_thread() is main_thread():
            raise Killed

    scene.aws.before = kill
    with pytest.raises(Killed):
        scene.deploy(order, version)
    scene.aws.before = go_on
    assert scene.serving(order) == int(version)
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 2
    assert scene.roll_back(order).outcome == "unchanged"


def test_a_rollback_that_failed_can_be_tried_again(scene: Scene, order: Order) -> None:
    scene.aws.endpoints.models[1] = BROKEN
    scene.roll_back(order)
    del scene.aws.endpoints.models[1]
    assert scene.roll_back(order).outcome == "returned"
    assert scene.serving(order) == 1
