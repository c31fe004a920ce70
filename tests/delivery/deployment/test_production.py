"""Production: a canary that alarms watch, data that are captured, and a service that may turn a version back."""

from dataclasses import replace

import pytest

from pipelines.delivery.deployment.order import Canary, Capture
from pipelines.delivery.errors import DeliveryError
from tests.delivery.deployment.fake_endpoints import ALARM, NO_PING, Model
from tests.delivery.deployment.scenes import BROKEN, PRODUCTION, STAGING, Scene

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"


@pytest.fixture
def scene() -> Scene:
    """Version 1 serves in production."""
    scene = Scene()
    scene.deploy(PRODUCTION, "1")
    scene.forget()
    return scene


def test_an_update_goes_by_a_canary_that_alarms_can_turn_back(scene: Scene) -> None:
    assert scene.deploy(PRODUCTION, "2").outcome == "deployed"
    (update,) = scene.aws.sent("UpdateEndpoint")
    policy = update["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 300,
    }
    assert policy["TerminationWaitInSeconds"] == 120
    assert policy["MaximumExecutionTimeoutInSeconds"] > 2 * 300 + 120
    alarms = [{"AlarmName": "fraud-production-errors"}, {"AlarmName": "fraud-production-latency"}]
    assert update["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": alarms}


def test_the_alarms_are_there_before_the_endpoint() -> None:
    scene = Scene()
    scene.deploy(PRODUCTION, "1")
    operations = scene.aws.changing()
    assert operations[:5] == [
        "CreateModel",
        "CreateEndpointConfig",
        "PutMetricAlarm",
        "PutMetricAlarm",
        "CreateEndpoint",
    ]
    errors, latency = scene.aws.sent("PutMetricAlarm")
    dimensions = [
        {"Name": "EndpointName", "Value": "fraud-production"},
        {"Name": "VariantName", "Value": "AllTraffic"},
    ]
    for alarm in (errors, latency):
        assert (alarm["Namespace"], alarm["Dimensions"], alarm["Period"]) == ("AWS/SageMaker", dimensions, 60)
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("Invocation5XXErrors", "Sum", 0.0)
    assert (latency["MetricName"], latency["ExtendedStatistic"]) == ("ModelLatency", "p95")
    assert latency["Threshold"] == 1000 * 1000


def test_an_alarm_is_put_again_when_its_limit_changes_and_only_then(scene: Scene) -> None:
    scene.deploy(replace(PRODUCTION, limits=replace(PRODUCTION.limits, latency=200.0)), "1")
    assert scene.aws.changing() == ["PutMetricAlarm"]
    assert scene.aws.alarms["fraud-production-latency"]["Threshold"] == 200_000


def test_a_version_that_does_not_pass_leaves_the_alarms_as_they_were(scene: Scene) -> None:
    scene.add(3, BROKEN)
    alarms = {name: dict(alarm) for name, alarm in scene.aws.alarms.items()}
    strict = replace(PRODUCTION, limits=replace(PRODUCTION.limits, latency=0.5))
    for version in ("3", "1", "2"):
        result = scene.deploy(strict, version)
        assert (result.exit_code, scene.serving(PRODUCTION)) == (1, 1)
        assert scene.aws.alarms == alarms
        assert result.changes[-1] == "put alarm fraud-production-latency as it was before"
    scene.aws.endpoints.models[3] = Model(trips=True)
    assert scene.deploy(strict, "3").exit_code == 1
    assert scene.aws.alarms == alarms


def test_an_alarm_whose_dimensions_come_in_another_order_is_the_same(scene: Scene) -> None:
    for alarm in scene.aws.alarms.values():
        alarm["Dimensions"] = alarm["Dimensions"][::-1]
    scene.deploy(PRODUCTION, "1")
    assert scene.aws.changing() == []


def test_staging_has_neither_canary_nor_alarms_nor_capture() -> None:
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.deploy(STAGING, "2")
    (update,) = scene.aws.sent("UpdateEndpoint")
    assert "DeploymentConfig" not in update
    assert scene.aws.alarms == {}
    assert all("DataCaptureConfig" not in config for config in scene.aws.configs.values())


def test_requests_and_answers_are_captured_below_the_models_bucket(scene: Scene) -> None:
    (config,) = scene.aws.configs.values()
    assert config["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://artifacts/data-capture/fraud-production",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }


def test_a_key_encrypts_storage_and_captures() -> None:
    scene = Scene()
    scene.deploy(replace(PRODUCTION, kms_key=KEY, capture=Capture(5, "s3://other/captures")), "1")
    (config,) = scene.aws.configs.values()
    capture = config["DataCaptureConfig"]
    assert (config["KmsKeyId"], capture["KmsKeyId"]) == (KEY, KEY)
    assert (capture["InitialSamplingPercentage"], capture["DestinationS3Uri"]) == (5, "s3://other/captures")


def test_without_a_bucket_of_the_model_the_place_of_captures_must_be_given() -> None:
    scene = Scene()
    scene.aws.packages[1]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] = "https://elsewhere/model.tar.gz"
    with pytest.raises(DeliveryError, match="give --capture-uri"):
        scene.deploy(PRODUCTION, "1")
    assert scene.aws.changing() == []


def test_rows_are_sent_while_the_endpoint_goes_over(scene: Scene) -> None:
    scene.deploy(PRODUCTION, "2")
    assert " rows sent, 0 failed" in scene.out.getvalue()


def test_rows_that_fail_on_the_way_are_counted_and_fail_nothing(scene: Scene) -> None:
    scene.aws.endpoints.models[1] = Model(raises="only until the new one serves")
    result = scene.deploy(PRODUCTION, "2")
    assert result.outcome == "deployed"
    assert " failed, the first: ModelError in InvokeEndpoint" in scene.out.getvalue()


@pytest.mark.parametrize(("model", "why"), [(Model(trips=True), ALARM), (Model(starts=False), NO_PING)])
def test_a_version_that_the_service_turns_back_is_told_from_one_that_serves(
    scene: Scene, model: Model, why: str
) -> None:
    scene.add(3, model)
    result = scene.deploy(PRODUCTION, "3")
    assert (result.outcome, result.exit_code, scene.serving(PRODUCTION)) == ("rolled_back", 1, 1)
    assert result.reason.startswith(f"fraud/3 did not pass: {why.rstrip('.')}; ")
    assert result.reason.endswith("(fraud/1) serves again and passed its test")
    assert result.fallback_test
    assert scene.stage(3) == ("production", "RolledBack")


def test_an_alarm_that_still_rings_is_waited_for(scene: Scene) -> None:
    looks = []

    def quieten(operation: str, _: object) -> None:
        if operation == "DescribeAlarms":
            looks.append(operation)
            if len(looks) == 4:
                scene.aws.alarms["fraud-production-errors"]["StateValue"] = "OK"

    scene.aws.alarms["fraud-production-errors"]["StateValue"] = "ALARM"
    scene.aws.before = quieten
    assert scene.deploy(PRODUCTION, "2").outcome == "deployed"
    assert len(looks) == 4
    assert "waiting while fraud-production-errors is in ALARM" in scene.out.getvalue()


def test_an_alarm_that_never_ends_does_not_keep_a_better_version_away(scene: Scene) -> None:
    def pass_time(operation: str, _: object) -> None:
        scene.aws.endpoints.seconds += 60 * (operation == "DescribeAlarms")

    scene.aws.alarms["fraud-production-errors"]["StateValue"] = "ALARM"
    scene.aws.before = pass_time
    assert scene.deploy(PRODUCTION, "2").outcome == "deployed"
    assert "fraud-production-errors: still in ALARM" in scene.out.getvalue()


def test_another_way_of_releasing_needs_no_new_config(scene: Scene) -> None:
    scene.deploy(replace(PRODUCTION, canary=Canary(10, 60, 0)), "1")
    assert scene.aws.changing() == []
