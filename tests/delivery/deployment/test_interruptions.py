"""A command may end anywhere: what it began goes on, and the next one takes it up."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.errors import DeliveryError, FollowingTimeoutError, InterruptionError
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import BROKEN, PRODUCTION, STAGING, Scene
from tests.delivery.deployment.service import Document, Refusal


class Killed(BaseException):
    """The end of a process, which nothing can catch."""


def kill_at(number: int) -> Callable[[str, Document], None]:
    """Return what ends the command at its nth request that changes anything."""
    seen = 0

    def before(operation: str, request: Document) -> None:
        nonlocal seen
        if not operation.startswith(("Describe", "List", "Get", "Invoke")):
            seen += 1
            if seen == number:
                raise Killed

    return before


def go_on(operation: str, request: Document) -> None:
    """Let every request through."""


def requests_of(order: Order, version: str, prepare: Callable[[Scene], None]) -> int:
    scene = Scene()
    prepare(scene)
    scene.forget()
    scene.deploy(order, version)
    return len(scene.aws.changing())


def nothing(scene: Scene) -> None:
    """Begin with no endpoint."""


def with_version_1(scene: Scene) -> None:
    """Begin with an endpoint that serves version 1."""
    for order in (STAGING, PRODUCTION):
        scene.deploy(order, "1")


@pytest.mark.parametrize("order", [STAGING, PRODUCTION], ids=lambda order: order.stage)
@pytest.mark.parametrize("prepare", [nothing, with_version_1])
def test_a_command_that_was_killed_at_any_request_is_completed_by_the_next(
    order: Order, prepare: Callable[[Scene], None]
) -> None:
    count = requests_of(order, "2", prepare)
    assert count >= 4
    for number in range(1, count + 1):
        scene = Scene()
        prepare(scene)
        scene.aws.before = kill_at(number)
        with pytest.raises(Killed):
            scene.deploy(order, "2")
        scene.aws.before = go_on
        assert scene.deploy(order, "2").exit_code == 0
        assert (scene.serving(order), scene.stage(2)) == (2, (order.stage, "Deployed"))
        scene.forget()
        assert scene.deploy(order, "2").outcome == "unchanged"
        assert scene.aws.changing() == []


def test_a_way_back_that_was_killed_at_any_request_still_knows_what_served_before() -> None:
    for number in range(1, 8):
        scene = Scene()
        with_version_1(scene)
        scene.add(3, BROKEN)
        scene.aws.before = kill_at(number)
        with suppress(Killed):
            scene.deploy(STAGING, "3")
        scene.aws.before = go_on
        result = scene.deploy(STAGING, "3")
        assert (result.exit_code, scene.serving(STAGING)) == (1, 1)


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.forget()
    return scene


def test_ctrl_c_says_what_goes_on_and_the_same_command_takes_it_up(scene: Scene) -> None:
    scene.interrupt.set()
    with pytest.raises(
        InterruptionError, match="stopped following fraud-staging, which goes on; take fraud-staging up"
    ):
        scene.deploy(STAGING, "2")
    assert scene.aws.endpoints.there["fraud-staging"].states
    scene.interrupt.clear()
    scene.forget()
    assert scene.deploy(STAGING, "2").outcome == "deployed"
    assert scene.aws.sent("UpdateEndpoint") == []


def test_a_time_that_is_over_ends_the_waiting_only(scene: Scene) -> None:
    scene.minutes = 1e-9
    with pytest.raises(FollowingTimeoutError, match="followed fraud-staging for 1e-09 minutes, and it goes on"):
        scene.deploy(STAGING, "2")
    scene.minutes = None
    assert scene.deploy(STAGING, "2").outcome == "deployed"


def test_ctrl_c_during_the_test_leaves_the_endpoint_untested(scene: Scene) -> None:
    def press(operation: str, _: Document) -> None:
        if operation == "InvokeEndpoint":
            scene.interrupt.set()

    scene.aws.before = press
    with pytest.raises(InterruptionError):
        scene.deploy(STAGING, "1")
    assert scene.aws.changing() == []


def test_an_update_of_another_command_is_waited_for_and_compared(scene: Scene) -> None:
    scene.interrupt.set()
    with pytest.raises(InterruptionError):
        scene.deploy(STAGING, "2")
    scene.interrupt.clear()
    assert scene.deploy(STAGING, "1").outcome == "deployed"
    assert (scene.serving(STAGING), len(scene.aws.sent("UpdateEndpoint"))) == (1, 2)
    assert "endpoint fraud-staging is Updating by another command: waiting for its end" in scene.out.getvalue()


def test_an_update_to_the_same_that_failed_is_not_tried_again(scene: Scene) -> None:
    scene.add(3, Model(trips=True))
    scene.interrupt.set()
    with pytest.raises(InterruptionError):
        scene.deploy(STAGING, "3")
    scene.interrupt.clear()
    scene.forget()
    result = scene.deploy(STAGING, "3")
    assert (result.outcome, scene.serving(STAGING)) == ("rolled_back", 1)
    assert scene.aws.sent("UpdateEndpoint") == []


def test_two_commands_at_the_same_moment_deploy_once() -> None:
    scene = Scene()
    other: list[str] = []

    def be_faster(operation: str, request: Document) -> None:
        if operation == "CreateEndpoint" and not other:
            other.append(operation)
            scene.deploy(STAGING, "1")

    scene.aws.before = be_faster
    assert scene.deploy(STAGING, "1").exit_code == 0
    assert "was changed by somebody else at this moment" in scene.out.getvalue()
    assert (scene.serving(STAGING), len(scene.aws.models), len(scene.aws.configs)) == (1, 1, 1)


def test_an_endpoint_that_has_failed_is_deleted_and_made_anew(scene: Scene) -> None:
    scene.aws.endpoints.there["fraud-staging"].now = {"EndpointStatus": "Failed", "FailureReason": "no capacity"}
    assert scene.deploy(STAGING, "2").outcome == "deployed"
    assert "endpoint fraud-staging has failed (no capacity): it is deleted and made anew" in scene.out.getvalue()
    assert [name for name in scene.aws.changing() if name.endswith("Endpoint")] == ["DeleteEndpoint", "CreateEndpoint"]
    assert scene.roll_back(STAGING).outcome == "returned"
    assert scene.serving(STAGING) == 1


def test_an_endpoint_that_fails_again_when_it_is_made_anew_is_said_to_have_failed(scene: Scene) -> None:
    scene.aws.endpoints.there["fraud-staging"].now = {"EndpointStatus": "Failed", "FailureReason": "no capacity"}
    scene.aws.endpoints.models[1] = Model(starts=False)
    result = scene.deploy(STAGING, "1")
    assert (result.outcome, result.exit_code) == ("failed", 1)
    assert "it passed before, but does not start again: nothing serves, the endpoint is Failed" in result.reason
    assert result.serving is None


def test_an_endpoint_of_somebody_else_gets_no_rows_while_it_is_updated(scene: Scene) -> None:
    scene.interrupt.set()
    with pytest.raises(InterruptionError):
        scene.deploy(STAGING, "2")
    scene.interrupt.clear()
    scene.aws.tags.clear()
    scene.forget()
    with pytest.raises(DeliveryError, match="was not made by deploy-model"):
        scene.deploy(STAGING, "2")
    assert scene.aws.sent("InvokeEndpoint") == []


def test_a_state_that_no_update_mends_is_left_to_a_person(scene: Scene) -> None:
    scene.aws.endpoints.there["fraud-staging"].now = {"EndpointStatus": "UpdateRollbackFailed"}
    with pytest.raises(DeliveryError, match=r"endpoint fraud-staging is UpdateRollbackFailed .*--teardown"):
        scene.deploy(STAGING, "2")
    assert scene.aws.sent("UpdateEndpoint") == []


def test_throttling_is_waited_out(scene: Scene) -> None:
    answers = iter([Refusal("ThrottlingException", "slow down"), Refusal("InternalFailure", "oh", status=500)])

    def throttle(operation: str, _: Document) -> None:
        if operation in {"DescribeEndpoint", "InvokeEndpoint"} and (refusal := next(answers, None)):
            raise refusal

    scene.aws.before = throttle
    assert scene.deploy(STAGING, "1").outcome == "unchanged"
    assert "ThrottlingException in DescribeEndpoint: slow down; trying again" in scene.out.getvalue()
