"""InvokeEndpoint: what goes to a model's container, and how its answers and mistakes come back."""

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.local.api.runtime import MAX_BODY_BYTES
from pipelines.local.hosting import endpoints
from pipelines.local.ownership import Ownership
from pipelines.local.session import session as local_session
from tests.local.hosted import Hosting, hosting, variant

LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/served"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    """A root whose endpoint `served` has the variants `primary`, with all the weight, and `second`."""
    with hosting(tmp_path_factory.mktemp("runtime") / "root") as made:
        made.add_model("second", ANSWER="the second one")
        made.add_config("both", variant(), variant("second", "second", InitialVariantWeight=0))
        assert made.add_endpoint("served", "both")["EndpointStatus"] == "InService"
        yield made


def error_of(site: Hosting, name: str = "served", body: bytes = b"hello", **more: Any) -> dict[str, Any]:
    """Return the response of a request that is refused at the first attempt."""
    with pytest.raises(ClientError) as caught:
        site.invoke(name, body, ContentType="text/csv", **more)
    response: dict[str, Any] = dict(caught.value.response)
    assert response["ResponseMetadata"].get("RetryAttempts", 0) == 0
    assert "\n" not in str(caught.value)
    return response


def test_a_request_reaches_the_model_and_its_answer_comes_back(site: Hosting) -> None:
    response = site.invoke("served", b"1,2\n", ContentType="text/csv", Accept="application/json")
    assert json.loads(response["Body"]) == {"body": "1,2\n", "type": "text/csv", "accept": "application/json"}
    assert response["ContentType"].startswith("application/json")
    assert response["InvokedProductionVariant"] == "primary"


def test_a_request_may_choose_its_variant(site: Hosting) -> None:
    response = site.invoke("served", b"1", ContentType="text/csv", TargetVariant="second")
    assert (response["Body"], response["InvokedProductionVariant"]) == (b"the second one", "second")


def test_a_variant_that_is_not_there_is_not_found(site: Hosting) -> None:
    error = error_of(site, TargetVariant="third")["Error"]
    assert error["Code"] == "ValidationError"
    assert "Variant third not found" in error["Message"]


def test_a_mistake_of_the_caller_is_the_models_error(site: Hosting) -> None:
    response = error_of(site, body=b"mistake")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 400
    assert "column 'age' is missing" in response["OriginalMessage"]
    assert response["LogStreamArn"] == LOG_GROUP
    start = "Received client error (400) from primary with message \"column 'age' is missing\". See "
    assert response["Error"]["Message"].startswith(start)


def test_a_bug_of_the_model_is_told_with_its_log(site: Hosting) -> None:
    response = error_of(site, body=b"bug")
    assert response["OriginalStatusCode"] == 500
    message = response["Error"]["Message"]
    assert message.startswith("Received server error (500) from primary with message")
    folder = message.partition(" See ")[2].removesuffix(" for more information.")
    assert folder == str(site.root / "logs/aws/sagemaker/Endpoints/served")
    assert "RuntimeError: no such thing" in (site.root / "logs/aws/sagemaker/Endpoints/served/primary.log").read_text()


def test_an_endpoint_that_is_not_there_is_not_found(site: Hosting) -> None:
    response = error_of(site, "ghost")
    message = "Endpoint ghost of account 000000000000 not found."
    assert response["Error"] == {"Code": "ValidationError", "Message": message}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_requests_of_six_mebibytes_are_taken_and_longer_ones_are_not(site: Hosting) -> None:
    longest = b"a" * MAX_BODY_BYTES
    assert len(site.invoke("served", longest, ContentType="text/csv", TargetVariant="second")["Body"]) == 14
    error = error_of(site, body=longest + b"a")["Error"]
    assert error == {"Code": "413", "Message": "HTTP content length exceeded 6291456 bytes."}


def test_a_file_is_a_body_too(site: Hosting) -> None:
    response = site.runtime.invoke_endpoint(EndpointName="served", Body=io.BytesIO(b"1,2\n"), ContentType="text/csv")
    assert json.loads(response["Body"].read())["body"] == "1,2\n"


def test_answers_of_six_mebibytes_are_passed_on_and_longer_ones_are_not(site: Hosting) -> None:
    body = site.invoke("served", f"long {MAX_BODY_BYTES}".encode(), ContentType="text/csv")["Body"]
    assert len(body) == MAX_BODY_BYTES
    response = error_of(site, body=f"long {MAX_BODY_BYTES + 1}".encode())
    assert response["Error"]["Code"] == "ModelError"
    assert "could not load the entire response body" in response["Error"]["Message"]
    assert site.invoke("served", b"1", ContentType="text/csv")["InvokedProductionVariant"] == "primary"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("TargetModel", "model.tar.gz"),
        ("TargetContainerHostname", "second"),
        ("InferenceComponentName", "component"),
        ("EnableExplanations", "`true`"),
        ("SessionId", "NEW_SESSION"),
    ],
)
def test_what_this_machine_does_not_do_is_refused(site: Hosting, member: str, value: str) -> None:
    more: Any = {member: value}
    error = error_of(site, **more)["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"] == f"{member} is given, which this machine does not do yet; leave it out."


def test_headers_are_passed_on_and_come_back(site: Hosting) -> None:
    given = {"CustomAttributes": "trace=1", "InferenceId": "claim-7", "Accept": "text/csv", "TargetVariant": "second"}
    with listener(site) as seen:
        response = site.invoke("listener", b"1", ContentType="text/plain", **given)
    assert response["CustomAttributes"] == "answered"
    assert "x-other" not in response["ResponseMetadata"]["HTTPHeaders"]
    assert dict(seen[0]) == {
        "host": seen[0]["host"],
        "accept-encoding": "identity",
        "content-length": "1",
        "content-type": "text/plain",
        "accept": "text/csv",
        "x-amzn-sagemaker-custom-attributes": "trace=1",
        "x-amzn-sagemaker-inference-id": "claim-7",
        "x-amzn-sagemaker-target-variant": "second",
    }


def test_an_answer_that_does_not_come_is_the_models_error(site: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "REPLY_SECONDS", 0.1)
    with local_session(site.root, region="us-east-1") as impatient, listener(site, is_silent=True):
        runtime: Any = impatient.client("sagemaker-runtime")
        with pytest.raises(runtime.exceptions.ModelError, match="Your invocation timed out while waiting") as caught:
            runtime.invoke_endpoint(EndpointName="listener", Body=b"1")
    assert caught.value.response["OriginalStatusCode"] == 0
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


@contextmanager
def listener(site: Hosting, *, is_silent: bool = False) -> Iterator[list[dict[str, str]]]:
    """Be the endpoint `listener`, and yield a list of the headers of its requests."""
    over = threading.Event()
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            if is_silent:
                over.wait()
                return
            self.send_response(200)
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", "answered")
            self.send_header("X-Other", "kept")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    database, ownership = site.session.sagemaker.machine.database, Ownership(site.root / "owners")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        named = {"EndpointName": "listener", "EndpointStatus": "InService", "Url": url, "Owner": ownership.owner}
        database.insert("endpoint", "listener", named)
        try:
            yield seen
        finally:
            database.delete("endpoint", "listener")
            over.set()
            server.shutdown()
            thread.join()
    ownership.release()


def test_many_clients_at_once(site: Hosting) -> None:
    def round_trip(number: int) -> str:
        answer = site.invoke("served", str(number).encode(), ContentType="text/csv")["Body"]
        return str(json.loads(answer)["body"])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(round_trip, range(200))) == [str(number) for number in range(200)]
