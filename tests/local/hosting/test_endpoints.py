"""Endpoints through the API: created, served by a process of their own, updated, listed and deleted."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.local.hosting import starter
from pipelines.local.session import session as local_session
from tests.local.documents import BUCKET
from tests.local.hosted import Hosting, hosting, variant, wait_until

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint"
BROKEN = "def model_fn(folder):\n    raise OSError('the model is not to be read')\n"
NO_PROXY: Any = urllib.request.ProxyHandler({})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    """A root whose endpoint `served` is in service."""
    with hosting(tmp_path_factory.mktemp("hosting") / "root") as made:
        made.add_config("echoing")
        made.add_model("other", ANSWER="the other one")
        made.add_config("other", variant(model="other"))
        made.add_endpoint("served", "echoing")
        yield made


def refusal(action: Any, **arguments: Any) -> str:
    """Return why an action is refused, at the first attempt."""
    with pytest.raises(ClientError) as caught:
        action(**arguments)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    return str(caught.value.response["Error"]["Message"])


def body_of(site: Hosting, name: str = "served") -> str:
    """Return what an endpoint answers to `hello`: the body, when it is an echo."""
    answer = site.invoke(name, b"hello", ContentType="text/csv")["Body"].decode()
    return str(json.loads(answer)["body"]) if answer.startswith("{") else answer


def delete(site: Hosting, name: str) -> None:
    """Delete an endpoint and wait until it is gone."""
    site.sagemaker.delete_endpoint(EndpointName=name)
    wait_until(lambda: not site.sagemaker.list_endpoints(NameContains=name)["Endpoints"], f"the end of {name}")


def test_an_endpoint_is_described_when_it_is_in_service(site: Hosting) -> None:
    described = site.describe("served")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "echoing")
    assert described["EndpointArn"] == f"{ARN}/served"
    assert [found["VariantName"] for found in described["ProductionVariants"]] == ["primary"]
    assert not {"FailureReason", "DataCaptureConfig", "LastDeploymentConfig", "Wanted", "Configs"} & set(described)


def test_it_answers_at_an_address_of_its_own_too(site: Hosting) -> None:
    url = site.session.sagemaker.endpoint_url("served")
    request = urllib.request.Request(f"{url}/invocations", b"hello", {"Content-Type": "text/csv"})
    with urllib.request.build_opener(NO_PROXY).open(request) as response:
        assert json.loads(response.read())["body"] == "hello"


def test_a_name_is_taken_once(site: Hosting) -> None:
    before = site.document("served")
    message = refusal(site.sagemaker.create_endpoint, EndpointName="served", EndpointConfigName="other")
    assert message == f'Cannot create already existing endpoint "{ARN}/served".'
    assert site.document("served") == before


@pytest.mark.parametrize("operation", ["create_endpoint", "update_endpoint"])
def test_a_config_that_is_not_there_is_not_found(site: Hosting, operation: str) -> None:
    name = "served" if operation == "update_endpoint" else "new"
    before = site.session.sagemaker.machine.database.list("endpoint")
    message = refusal(getattr(site.sagemaker, operation), EndpointName=name, EndpointConfigName="ghost")
    assert message == f'Could not find endpoint configuration "{ARN}-config/ghost".'
    assert site.session.sagemaker.machine.database.list("endpoint") == before


@pytest.mark.parametrize("operation", ["describe_endpoint", "delete_endpoint", "update_endpoint"])
def test_an_endpoint_that_is_not_there_is_not_found(site: Hosting, operation: str) -> None:
    more = {"EndpointConfigName": "echoing"} if operation == "update_endpoint" else {}
    message = refusal(getattr(site.sagemaker, operation), EndpointName="ghost", **more)
    assert message == f'Could not find endpoint "{ARN}/ghost".'


def test_variant_properties_come_from_the_config(site: Hosting) -> None:
    before = site.document("served")
    arguments = {"EndpointName": "served", "EndpointConfigName": "other", "RetainAllVariantProperties": True}
    assert "RetainAllVariantProperties is True" in refusal(site.sagemaker.update_endpoint, **arguments)
    assert site.document("served") == before


def test_a_deployment_that_could_not_be_watched_is_refused(site: Hosting) -> None:
    before = site.document("served")
    watched = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "ghost"}]}}
    arguments = {"EndpointName": "served", "EndpointConfigName": "other", "DeploymentConfig": watched}
    assert "alarm 'ghost' does not exist" in refusal(site.sagemaker.update_endpoint, **arguments)
    assert site.document("served") == before


def test_endpoints_are_listed_by_name_status_and_time(site: Hosting) -> None:
    listed = site.sagemaker.list_endpoints()["Endpoints"]
    assert [(found["EndpointName"], found["EndpointStatus"]) for found in listed] == [("served", "InService")]
    created, modified = listed[0]["CreationTime"], listed[0]["LastModifiedTime"]
    for found, arguments in (
        (1, {"NameContains": "erv", "StatusEquals": "InService"}),
        (0, {"NameContains": "nothing"}),
        (0, {"StatusEquals": "Failed"}),
        (0, {"CreationTimeAfter": modified}),
        (1, {"CreationTimeBefore": modified}),
        (1, {"LastModifiedTimeAfter": created}),
        (0, {"LastModifiedTimeBefore": created}),
    ):
        assert len(site.sagemaker.list_endpoints(**arguments)["Endpoints"]) == found, arguments


def test_data_capture_is_shown_and_does_not_take_place(site: Hosting) -> None:
    capture = {
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    site.add_config("capturing", DataCaptureConfig=capture)
    assert site.add_endpoint("capturing", "capturing")["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Stopped",
        "CurrentSamplingPercentage": 20,
        "DestinationS3Uri": "s3://bucket/captured",
        "KmsKeyId": "",
    }
    delete(site, "capturing")


def test_tags_of_an_endpoint_go_with_it(site: Hosting) -> None:
    arn = f"{ARN}/tagged"
    tags = {"Tags": [{"Key": "team", "Value": "claims"}, {"Key": "previous", "Value": "6"}]}
    site.sagemaker.create_endpoint(EndpointName="tagged", EndpointConfigName="echoing", **tags)
    site.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "previous", "Value": "7"}])
    site.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert site.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "previous", "Value": "7"}]
    site.settled("tagged")
    delete(site, "tagged")
    assert site.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_what_is_in_progress_is_neither_updated_nor_deleted(site: Hosting) -> None:
    site.sagemaker.create_endpoint(EndpointName="begun", EndpointConfigName="echoing")
    wanted = site.document("begun")["Wanted"]
    message = f'Cannot update in-progress endpoint "{ARN}/begun".'
    for action, more in (
        (site.sagemaker.update_endpoint, {"EndpointConfigName": "other"}),
        (site.sagemaker.delete_endpoint, {}),
    ):
        assert refusal(action, EndpointName="begun", **more) == message
    assert (site.document("begun")["EndpointStatus"], site.document("begun")["Wanted"]) == ("Creating", wanted)
    with pytest.raises(ClientError, match="Endpoint begun of account 000000000000 not found"):
        site.invoke("begun", b"hello")
    site.settled("begun")
    site.sagemaker.delete_endpoint(EndpointName="begun")
    assert refusal(site.sagemaker.delete_endpoint, EndpointName="begun") in {
        message,
        f'Could not find endpoint "{ARN}/begun".',
    }


def test_an_endpoint_serves_another_config_after_an_update(site: Hosting) -> None:
    site.add_endpoint("updated", "echoing")
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    }
    update = site.sagemaker.update_endpoint
    response = update(EndpointName="updated", EndpointConfigName="other", DeploymentConfig=policy)
    assert response["EndpointArn"] == f"{ARN}/updated"
    described = site.settled("updated")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "other")
    assert described["LastDeploymentConfig"] == policy
    assert body_of(site, "updated") == "the other one"
    update(EndpointName="updated", EndpointConfigName="other", RetainDeploymentConfig=True)
    assert site.document("updated")["Wanted"]["DeploymentConfig"] == policy
    assert site.settled("updated")["EndpointStatus"] == "InService"
    delete(site, "updated")


def test_an_endpoint_outlives_its_config_and_a_killed_process(site: Hosting) -> None:
    site.add_config("passing")
    site.add_endpoint("lasting", "passing")
    site.sagemaker.delete_endpoint_config(EndpointConfigName="passing")
    first, url = site.pid("lasting"), site.session.sagemaker.endpoint_url("lasting")
    os.kill(first, signal.SIGKILL)
    assert body_of(site, "lasting") == "hello"
    assert site.pid("lasting") != first
    assert site.session.sagemaker.endpoint_url("lasting") == url
    delete(site, "lasting")


def test_describing_an_endpoint_starts_its_process_anew_and_does_not_wait(site: Hosting) -> None:
    first = site.pid("served")
    os.kill(first, signal.SIGKILL)
    begun = time.monotonic()
    assert site.describe("served")["EndpointStatus"] == "InService"
    assert time.monotonic() - begun < 1
    wait_until(lambda: site.describe("served") is not None and site.pid("served") != first, "another process")
    assert body_of(site) == "hello"


def test_one_process_is_started_however_many_ask_for_it(site: Hosting) -> None:
    log = site.root / "logs/aws/sagemaker/Endpoints/served/endpoint.log"
    before = log.read_text().count("endpoint: at http")
    os.kill(site.pid("served"), signal.SIGKILL)
    with local_session(site.root, region="us-east-1") as other, ThreadPoolExecutor(8) as pool:
        clients = [site.runtime, other.client("sagemaker-runtime")] * 4
        invoke = methodcaller("invoke_endpoint", EndpointName="served", Body=b"hello", ContentType="text/csv")
        answers = [json.loads(response["Body"].read())["body"] for response in pool.map(invoke, clients)]
    assert answers == ["hello"] * 8
    assert log.read_text().count("endpoint: at http") == before + 1


def test_endpoints_outlive_the_session_that_made_them(site: Hosting) -> None:
    other = local_session(site.root, region="us-east-1")
    other.client("sagemaker").create_endpoint(EndpointName="outliving", EndpointConfigName="echoing")
    other.close()
    assert site.settled("outliving")["EndpointStatus"] == "InService"
    assert body_of(site, "outliving") == "hello"
    delete(site, "outliving")


def test_a_model_that_does_not_load_fails_its_endpoint_which_can_be_deleted_only(site: Hosting) -> None:
    site.add_model("broken", BROKEN)
    site.add_config("broken", variant(model="broken"))
    described = site.add_endpoint("failing", "broken")
    assert described["EndpointStatus"] == "Failed"
    assert "the model is not to be read" in described["FailureReason"]
    before = site.document("failing")
    arguments = {"EndpointName": "failing", "EndpointConfigName": "echoing"}
    assert "it has failed; delete it" in refusal(site.sagemaker.update_endpoint, **arguments)
    assert site.document("failing") == before
    delete(site, "failing")


def test_a_process_that_ends_as_soon_as_it_is_started_fails_its_endpoint(
    site: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter, "MODULE", "pipelines.local.hosting.no_such_module")
    described = site.add_endpoint("stillborn", "echoing")
    assert described["EndpointStatus"] == "Failed"
    assert "No module named pipelines.local.hosting.no_such_module (see " in described["FailureReason"]
    delete(site, "stillborn")


def test_an_endpoint_that_is_deleted_while_no_process_can_start_is_gone(
    site: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_endpoint("orphan", "echoing")
    os.kill(site.pid("orphan"), signal.SIGKILL)
    monkeypatch.setattr(starter, "MODULE", "pipelines.local.hosting.no_such_module")
    delete(site, "orphan")


@pytest.mark.parametrize("trouble", ["gone", "corrupt"])
def test_an_endpoint_whose_model_cannot_be_loaded_again_says_why_at_once(site: Hosting, trouble: str) -> None:
    lost = site.add_model(f"lost-{trouble}", ANSWER="lost")
    site.add_config(lost, variant(model=lost))
    site.add_endpoint("losing", lost)
    s3 = site.session.client("s3")
    if trouble == "gone":
        s3.delete_object(Bucket=BUCKET, Key=f"{lost}/model.tar.gz")
    else:
        s3.put_object(Bucket=BUCKET, Key=f"{lost}/model.tar.gz", Body=b"corrupt")
    os.kill(site.pid("losing"), signal.SIGKILL)
    begun = time.monotonic()
    with pytest.raises(ClientError) as caught:
        site.invoke("losing", b"hello")
    assert time.monotonic() - begun < 30
    error: Any = caught.value.response
    why = {"gone": f"{lost}/model.tar.gz does not exist", "corrupt": f"{lost}/model.tar.gz"}[trouble]
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 503)
    assert error["ResponseMetadata"]["RetryAttempts"] == 0
    assert error["OriginalMessage"].startswith(
        f"there is no model server for variant primary: Model '{lost}' cannot be served: "
    )
    assert why in error["OriginalMessage"]
    wait_until(lambda: "FailureReason" in site.describe("losing"), "the reason")
    described = site.describe("losing")
    assert (described["EndpointStatus"], described["FailureReason"]) == ("InService", error["OriginalMessage"])
    site.sagemaker.delete_model(ModelName=lost)
    delete(site, "losing")


def test_an_endpoint_in_service_that_cannot_be_started_says_so_and_is_tried_again(
    site: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(site.pid("served"), signal.SIGKILL)
    with monkeypatch.context() as patch:
        patch.setattr(starter, "MODULE", "pipelines.local.hosting.no_such_module")
        with pytest.raises(ClientError) as caught:
            site.invoke("served", b"hello")
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["RetryAttempts"]) == (
        "InternalDependencyException",
        0,
    )
    assert "No module named" in response["Error"]["Message"]
    assert "served/endpoint.log" in response["Error"]["Message"]
    assert body_of(site) == "hello"
    assert site.describe("served")["EndpointStatus"] == "InService"
