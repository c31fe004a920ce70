"""What the supervisor makes of an endpoint's document, by a clock in the hand."""

import pytest

from pipelines.local.hosting.documents import ALARM_KIND, KIND
from tests.local.containers.processes import wait_for
from tests.local.hosting.backend import says
from tests.local.hosting.clients import Load
from tests.local.hosting.supervised import ALARM, CANARY, Endpoint


def test_a_new_endpoint_comes_into_service(serving: Endpoint) -> None:
    document = serving.read()
    assert document.keys() == {
        "EndpointName",
        "EndpointStatus",
        "EndpointConfigName",
        "Owner",
        "ProductionVariants",
        "LastModifiedTime",
    }
    assert document["ProductionVariants"] == [
        {
            "VariantName": "v",
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        }
    ]
    assert serving.ask() == [(200, "old")]


def test_a_new_endpoint_whose_model_cannot_start_has_failed_for_that_reason(endpoint: Endpoint) -> None:
    endpoint.backends.problems["old"] = "no xgboost-model in model.tar.gz"
    endpoint.write("Creating", Wanted={"EndpointConfigName": "old", "DeploymentConfig": None})
    document = endpoint.step_to("Failed")
    assert document["FailureReason"] == (
        "The primary container for production variant v did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint. no xgboost-model in model.tar.gz"
    )
    assert "Wanted" not in document
    assert not endpoint.is_at_work


def test_an_update_without_a_policy_moves_all_traffic_and_ends_the_old_servers(serving: Endpoint) -> None:
    serving.want("new")
    document = serving.step_until(lambda document: document["EndpointConfigName"] == "new")
    assert document["EndpointStatus"] == "InService"
    assert not document.keys() & {"Wanted", "PendingDeploymentSummary", "FailureReason"}
    assert serving.ask() == [(200, "new")]
    wait_for(lambda: not serving.backends.latest("old").is_alive())


def test_a_canary_gets_its_share_first_then_all_and_can_still_be_taken_back(serving: Endpoint) -> None:
    serving.database.insert(ALARM_KIND, "errors", ALARM)
    serving.want("new", CANARY)
    serving.step_to_pending("Creating", 0.0)
    document = serving.step_to_pending("Baking", 0.25)
    assert (document["EndpointStatus"], document["EndpointConfigName"]) == ("Updating", "old")
    assert document["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert document["ProductionVariants"][0]["CurrentWeight"] == 0.75
    assert sorted(serving.ask(100)) == [(200, "new")] * 25 + [(200, "old")] * 75

    serving.clock.ahead += 61
    serving.step_to_pending("Baking", 1.0)
    assert set(serving.ask(20)) == {(200, "new")}
    serving.clock.ahead += 61
    serving.step_to_pending("Baking", 1.0)
    serving.clock.ahead += 59
    serving.supervisor.step()
    assert serving.backends.latest("old").is_alive()
    assert serving.read()["EndpointConfigName"] == "old"

    serving.clock.ahead += 2
    serving.step_until(lambda document: document["EndpointConfigName"] == "new")
    wait_for(lambda: not serving.backends.latest("old").is_alive())
    assert serving.read()["EndpointStatus"] == "InService"


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_a_canary_that_fails_is_rolled_back_by_its_alarm_without_one_failed_request(
    serving: Endpoint, weight: float
) -> None:
    serving.database.insert(ALARM_KIND, "errors", ALARM)
    failing = [weight < 1]
    serving.backends.scripts["new"] = lambda _: (500, b"broken") if failing[0] else (200, b"new")
    serving.want("new", CANARY)
    serving.step_to_pending("Baking", 0.25)
    with Load(serving.gateway.port) as load:
        if weight == 1.0:
            serving.clock.ahead += 61
            serving.step_to_pending("Baking", 1.0)
            failing[0] = True
            load.wait_for_more()
        document = serving.step_until(lambda document: "FailureReason" in document)
        load.wait_for_more()
        document = serving.step_to("InService")
        load.wait_for_more()
    assert document["EndpointConfigName"] == "old"
    assert document["FailureReason"] == "The following CloudWatch alarm is in ALARM state: errors."
    assert not document.keys() & {"Wanted", "PendingDeploymentSummary"}
    assert document["ProductionVariants"][0]["CurrentWeight"] == 1.0
    assert not serving.backends.latest("new").is_alive()
    assert load.problems == []
    assert set(load.answers) <= {(200, "old"), (200, "new")}
    alarm = serving.database.get(ALARM_KIND, "errors")
    assert alarm
    assert alarm["StateValue"] == "ALARM"


def test_an_alarm_is_quiet_again_after_the_rollback(serving: Endpoint) -> None:
    serving.database.insert(ALARM_KIND, "errors", ALARM | {"TreatMissingData": "notBreaching"})
    serving.backends.scripts["new"] = says("broken", 500)
    serving.want("new", CANARY)
    serving.step_to_pending("Baking", 0.25)
    assert set(serving.ask(4)) == {(200, "old")}
    serving.step_to("InService")
    serving.clock.ahead += 2
    serving.step_until(lambda _: (serving.database.get(ALARM_KIND, "errors") or {})["StateValue"] == "OK")


def test_errors_from_before_a_deployment_do_not_count_against_it(serving: Endpoint) -> None:
    serving.database.insert(ALARM_KIND, "errors", ALARM)
    serving.backends.latest("old").script = says("hiccup", 500)
    assert serving.ask() == [(500, "hiccup")]
    serving.backends.latest("old").script = says("old")
    serving.want("new", CANARY)
    document = serving.step_to_pending("Baking", 0.25)
    assert document["EndpointStatus"] == "Updating"


def test_the_alarms_of_an_endpoint_follow_its_metrics_without_a_deployment(serving: Endpoint) -> None:
    serving.database.insert(ALARM_KIND, "errors", ALARM)
    serving.backends.latest("old").script = says("hiccup", 500)
    assert serving.ask() == [(500, "hiccup")]
    serving.clock.ahead += 2
    serving.supervisor.step()
    alarm = serving.database.get(ALARM_KIND, "errors") or {}
    assert (alarm["StateValue"], serving.read()["EndpointStatus"]) == ("ALARM", "InService")


def test_an_update_whose_model_cannot_start_leaves_the_old_one(serving: Endpoint) -> None:
    serving.backends.problems["new"] = "cannot load"
    serving.want("new")
    document = serving.step_to("InService")
    assert document["EndpointConfigName"] == "old"
    assert document["FailureReason"].endswith(" cannot load")
    assert serving.ask() == [(200, "old")]


def test_a_green_server_that_dies_ends_the_deployment(serving: Endpoint) -> None:
    serving.want("new", CANARY)
    serving.step_to_pending("Baking", 0.25)
    serving.backends.latest("new").kill()
    document = serving.step_to("InService")
    assert (document["EndpointConfigName"], document["FailureReason"]) == (
        "old",
        "A model server of the new fleet ended.",
    )


def test_a_serving_server_that_dies_is_replaced_also_during_a_deployment(serving: Endpoint) -> None:
    serving.want("new", CANARY)
    serving.step_to_pending("Baking", 0.25)
    serving.backends.latest("old").kill()
    serving.step_until(lambda _: len(serving.backends.made["old"]) == 2 and serving.backends.latest("old").is_alive())
    assert {text for _, text in serving.ask(8)} == {"old", "new"}
    assert serving.read()["EndpointStatus"] == "Updating"


def test_the_same_config_can_be_deployed_anew(serving: Endpoint) -> None:
    first = serving.backends.latest("old")
    serving.want("old")
    serving.step_until(lambda document: document["EndpointStatus"] == "InService" and "Wanted" not in document)
    wait_for(lambda: not first.is_alive())
    assert serving.backends.latest("old") is not first
    assert serving.ask() == [(200, "old")]


def test_the_next_update_after_a_rollback_takes_its_reason_away(serving: Endpoint) -> None:
    serving.backends.problems["new"] = "cannot load"
    serving.want("new")
    serving.step_to("InService")
    del serving.backends.problems["new"]
    serving.want("new")
    document = serving.step_until(lambda document: document["EndpointConfigName"] == "new")
    assert "FailureReason" not in document


def test_after_a_restart_what_was_served_is_served_again(serving: Endpoint) -> None:
    serving.restart()
    serving.step_until(lambda _: len(serving.backends.made["old"]) == 2)
    assert serving.ask() == [(200, "old")]
    assert serving.read()["EndpointStatus"] == "InService"


def test_after_a_restart_a_deployment_begins_anew_within_its_time(serving: Endpoint) -> None:
    serving.want("new", CANARY)
    started = serving.step_to_pending("Baking", 0.25)["PendingDeploymentSummary"]["StartTime"]
    serving.restart()
    document = serving.step_to_pending("Baking", 0.25)
    assert document["PendingDeploymentSummary"]["StartTime"] == started
    assert {text for _, text in serving.ask(8)} == {"old", "new"}
    serving.clock.ahead += 14_401
    assert serving.step_to("InService")["FailureReason"] == "The deployment took longer than 14400 seconds."


def test_after_a_restart_a_rollback_is_finished(endpoint: Endpoint) -> None:
    wanted = {"EndpointConfigName": "new", "DeploymentConfig": None}
    endpoint.write(
        "RollingBack", Wanted=wanted, FailureReason="why", PendingDeploymentSummary={"EndpointConfigName": "new"}
    )
    document = endpoint.step_to("InService")
    assert (document["EndpointConfigName"], document["FailureReason"]) == ("old", "why")
    assert not document.keys() & {"Wanted", "PendingDeploymentSummary"}
    assert endpoint.ask() == [(200, "old")]
    assert "new" not in endpoint.backends.made


def test_a_config_that_is_gone_is_named(serving: Endpoint) -> None:
    serving.want("gone")
    document = serving.step_to("InService")
    reason = "Could not find endpoint configuration 'gone'; create it again."
    assert (document["EndpointConfigName"], document["FailureReason"]) == ("old", reason)


@pytest.mark.parametrize("during", ["service", "a deployment"])
def test_a_deleted_endpoint_leaves_nothing(serving: Endpoint, during: str) -> None:
    if during == "a deployment":
        serving.want("new", CANARY)
        serving.step_to_pending("Baking", 0.25)
    serving.database.update(KIND, "e", EndpointStatus="Deleting", Wanted={"Deleted": True})
    assert not serving.supervisor.step()
    assert serving.read()["EndpointStatus"] == "Deleting"
    serving.supervisor.stop()
    assert serving.database.get(KIND, "e") is None
    assert not [it for made in serving.backends.made.values() for it in made if it.is_alive()]


def test_a_document_of_another_owner_is_left_alone(serving: Endpoint) -> None:
    serving.database.update(KIND, "e", Owner="another")
    before = serving.read()
    assert not serving.supervisor.step()
    serving.supervisor.stop()
    assert serving.read() == before
