"""The decisions of a deployment, by a clock in the hand."""

import pytest

from pipelines.local.hosting.deployment import Deployment, Phase
from pipelines.local.hosting.traffic import Plan, Stage

CANARY = Plan((Stage(0.1, 5.0), Stage(1.0, 5.0)), 10.0, 100.0, ("errors", "latency"))


def at_phase(wanted: Phase, plan: Plan = CANARY) -> tuple[Deployment, float]:
    """Return a deployment that has come so far, and the time."""
    deployment, now = Deployment(plan, 0.0), 0.0
    while deployment.phase is not wanted:
        now += 1
        deployment.advance(now, ready=True)
    return deployment, now


def history(deployment: Deployment, seconds: int) -> list[tuple[int, str, float]]:
    """Advance second by second, and return when something changed, and to what."""
    seen: list[tuple[int, str, float]] = []
    for now in range(seconds):
        deployment.advance(now, ready=now >= 3)
        if not seen or seen[-1][1:] != (deployment.phase.value, deployment.share):
            seen.append((now, deployment.phase.value, deployment.share))
    return seen


def test_a_canary_bakes_before_the_rest_follows_and_blue_waits_for_its_end() -> None:
    assert history(Deployment(CANARY, 0.0), 40) == [
        (0, "Creating", 0.0),
        (3, "ActivatingTraffic", 0.1),
        (4, "Baking", 0.1),
        (9, "ActivatingTraffic", 1.0),
        (10, "Baking", 1.0),
        (15, "Terminating", 1.0),
        (25, "Deployed", 1.0),
    ]


def test_all_at_once_without_waits_goes_through_every_phase() -> None:
    assert [phase for _, phase, _ in history(Deployment(Plan((Stage(1.0, 0.0),)), 0.0), 10)] == [
        "Creating",
        "ActivatingTraffic",
        "Baking",
        "Terminating",
        "Deployed",
    ]


@pytest.mark.parametrize("phase", [Phase.ACTIVATING, Phase.BAKING, Phase.TERMINATING])
def test_an_alarm_gives_the_deployment_up_whenever_there_is_traffic(phase: Phase) -> None:
    deployment, now = at_phase(phase)
    deployment.advance(now, ready=True, ringing=["another", "latency"])
    assert (deployment.phase, deployment.share) == (Phase.GIVEN_UP, 0.0)
    assert deployment.reason == "The following CloudWatch alarm is in ALARM state: latency."


@pytest.mark.parametrize("phase", [Phase.BAKING, Phase.TERMINATING])
def test_a_time_is_not_over_before_the_requests_are_that_were_sent_in_it(phase: Phase) -> None:
    deployment, now = at_phase(phase)
    deployment.advance(now + 60, ready=True, oldest=now + 1)
    assert deployment.phase is phase
    deployment.advance(now + 61, ready=True, oldest=now + 60)
    assert deployment.phase is {Phase.BAKING: Phase.ACTIVATING, Phase.TERMINATING: Phase.DEPLOYED}[phase]


def test_an_alarm_ends_what_waits_for_an_answer() -> None:
    deployment, now = at_phase(Phase.BAKING)
    deployment.advance(now + 60, ready=True, oldest=now + 1, ringing=["latency"])
    assert deployment.phase is Phase.GIVEN_UP


def test_all_alarms_that_ring_are_named() -> None:
    deployment, now = at_phase(Phase.BAKING)
    deployment.advance(now, ready=True, ringing=["latency", "errors"])
    assert deployment.reason == "The following CloudWatch alarms are in ALARM state: errors, latency."


def test_alarms_that_are_not_the_deployments_do_not_matter() -> None:
    deployment, now = at_phase(Phase.BAKING)
    deployment.advance(now, ready=True, ringing=["another"])
    assert deployment.phase is Phase.BAKING


def test_alarms_do_not_matter_before_the_green_fleet_has_traffic() -> None:
    deployment = Deployment(CANARY, 0.0)
    deployment.advance(1.0, ready=False, ringing=["errors"])
    assert deployment.phase is Phase.CREATING


def test_a_fleet_that_cannot_start_is_given_up_for_its_reason() -> None:
    deployment = Deployment(CANARY, 0.0)
    deployment.advance(1.0, ready=False, failure="no such model")
    assert (deployment.phase, deployment.reason) == (Phase.GIVEN_UP, "no such model")


@pytest.mark.parametrize("phase", [Phase.ACTIVATING, Phase.BAKING, Phase.TERMINATING])
def test_a_fleet_whose_server_ends_is_given_up(phase: Phase) -> None:
    deployment, now = at_phase(phase)
    deployment.advance(now, ready=False)
    assert (deployment.phase, deployment.reason) == (Phase.GIVEN_UP, "A model server of the new fleet ended.")


def test_a_deployment_that_takes_too_long_is_given_up() -> None:
    deployment = Deployment(CANARY, 0.0)
    deployment.advance(100.0, ready=False)
    assert deployment.phase is Phase.CREATING
    deployment.advance(100.1, ready=False)
    assert (deployment.phase, deployment.reason) == (Phase.GIVEN_UP, "The deployment took longer than 100 seconds.")


@pytest.mark.parametrize("end", [Phase.DEPLOYED, Phase.GIVEN_UP])
def test_what_is_over_stays_as_it_is(end: Phase) -> None:
    if end is Phase.DEPLOYED:
        deployment, now = at_phase(end)
    else:
        deployment, now = Deployment(CANARY, 0.0), 1.0
        deployment.advance(now, ready=False, failure="first")
    reason = deployment.reason
    deployment.advance(now + 1000, ready=False, failure="second", ringing=["errors"])
    assert (deployment.phase, deployment.reason, deployment.is_over) == (end, reason, True)
