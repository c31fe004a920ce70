"""A deployment whose model answers late or never, and one whose serving model cannot be started again."""

import threading
from collections.abc import Iterator

import pytest

from pipelines.local.hosting import variant
from pipelines.local.hosting.documents import ALARM_KIND
from pipelines.local.hosting.upstream import Limits
from tests.local.hosting.backend import Reply
from tests.local.hosting.clients import Load
from tests.local.hosting.supervised import ALARM, CANARY, Endpoint

LATENCY = ALARM | {"AlarmName": "latency", "MetricName": "ModelLatency", "Threshold": 200_000.0}
LATENCY = {**LATENCY, "ExtendedStatistic": "p95"}
del LATENCY["Statistic"]
BRIEF = {
    "Type": "CANARY",
    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
    "WaitIntervalInSeconds": 1,
}


def watched_by(*alarms: str) -> dict[str, object]:
    """Return a canary of a second, watched by alarms."""
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": BRIEF},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


@pytest.fixture
def silent(serving: Endpoint) -> Iterator[threading.Event]:
    """Let the new model answer nothing before an event is set."""
    event = threading.Event()

    def script(_: bytes) -> Reply:
        event.wait(60)
        return 200, b"new"

    serving.backends.scripts["new"] = script
    for alarm in (ALARM, LATENCY):
        serving.database.insert(ALARM_KIND, str(alarm["AlarmName"]), alarm)
    yield event
    event.set()


@pytest.mark.parametrize(
    ("limits", "alarms"),
    [
        (Limits(trial=60.0, longest_trial=60.0), ("latency",)),
        (Limits(trial=0.5), ("errors",)),
        (Limits(trial=0.5), ("errors", "latency")),
    ],
)
def test_a_model_that_never_answers_is_rolled_back_and_no_client_fails(
    serving: Endpoint, silent: threading.Event, alarms: tuple[str, ...]
) -> None:
    serving.want("new", watched_by(*alarms))
    with Load(serving.gateway.port) as load:
        serving.step_to_pending("Baking", 0.25)
        document = serving.step_to("InService")
        load.wait_for_more()
    assert document["EndpointConfigName"] == "old"
    assert "in ALARM state" in document["FailureReason"]
    assert load.problems == []
    assert set(load.answers) == {(200, "old")}


@pytest.mark.parametrize("limits", [Limits(trial=30.0, longest_trial=60.0)])
def test_nothing_is_decided_before_the_requests_of_the_canary_are_answered(
    serving: Endpoint, silent: threading.Event
) -> None:
    serving.want("new", watched_by("errors"))
    serving.step_to_pending("Baking", 0.25)
    asking = threading.Thread(target=serving.ask, args=(4,))
    asking.start()
    serving.step_until(lambda _: serving.gateway.oldest_trial is not None)
    serving.clock.ahead += 10
    for _ in range(10):
        serving.supervisor.step()
    pending = serving.read()["PendingDeploymentSummary"]["ProductionVariants"][0]
    assert (pending["VariantStatus"][0]["Status"], pending["CurrentWeight"]) == ("Baking", 0.25)
    silent.set()
    serving.step_until(lambda document: document["EndpointConfigName"] == "new")
    asking.join()


@pytest.mark.parametrize("limits", [Limits(start=60.0)])
def test_an_endpoint_whose_model_is_lost_says_so_at_once_and_serves_when_it_is_there(
    serving: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variant, "LONGEST_PAUSE_SECONDS", 0.2)
    reason = "there is no model server for variant v: the object is gone"
    serving.backends.problems["old"] = "the object is gone"
    serving.backends.latest("old").kill()
    document = serving.step_until(lambda document: "FailureReason" in document)
    assert (document["EndpointStatus"], document["FailureReason"]) == ("InService", reason)
    assert serving.ask() == [(503, reason)]
    del serving.backends.problems["old"]
    serving.step_until(lambda document: "FailureReason" not in document)
    assert serving.ask() == [(200, "old")]


def test_the_reason_of_a_rollback_stays_while_the_model_is_served(serving: Endpoint) -> None:
    serving.backends.problems["new"] = "cannot load"
    serving.want("new")
    reason = serving.step_to("InService")["FailureReason"]
    for _ in range(3):
        serving.supervisor.step()
    assert serving.read()["FailureReason"] == reason


def test_a_lost_model_is_replaced_by_an_update(serving: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    serving.backends.problems["old"] = "the object is gone"
    serving.backends.latest("old").kill()
    serving.step_until(lambda document: "FailureReason" in document)
    serving.want("new", CANARY)
    serving.step_to_pending("Baking", 0.25)
    assert sorted(serving.ask(4))[0] == (200, "new")
    serving.clock.ahead += 61
    serving.step_to_pending("Baking", 1.0)
    assert set(serving.ask(4)) == {(200, "new")}
    serving.clock.ahead += 61
    serving.step_to_pending("Baking", 1.0)
    serving.clock.ahead += 61
    document = serving.step_to("InService")
    assert document["EndpointConfigName"] == "new"
    assert "FailureReason" not in document
