"""What following survives, and how it ends where the execution does not."""

import io
from pathlib import Path
from threading import Event

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from pipelines.delivery.attention import FAILURES_IN_A_ROW
from pipelines.delivery.aws_errors import is_passing
from pipelines.delivery.credentials import renew
from pipelines.delivery.errors import ContactError, FollowingTimeoutError, InterruptionError
from tests.delivery.runs import finish, script
from tests.delivery.scripted import EXECUTION, Answer, Script, ServiceRefusal, described

URL = "https://api.sagemaker.us-east-1.amazonaws.com/"
THROTTLED = ServiceRefusal("ThrottlingException", "Rate exceeded")
EXPIRED = ServiceRefusal("ExpiredTokenException", "The security token included in the request is expired")
DROPPED = ConnectionClosedError(endpoint_url=URL)
FAILURES: list[Answer] = [
    THROTTLED,
    EXPIRED,
    DROPPED,
    ReadTimeoutError(endpoint_url=URL),
    EndpointConnectionError(endpoint_url=URL),
    CredentialRetrievalError(provider="sso", error_msg="try later"),
]


def scripted(*answers: Answer, operation: str = "DescribePipelineExecution") -> Script:
    """A service that answers an operation so, one after the other, and the last one from then on."""
    service = script()
    service._answers[operation] = list(answers)
    return service


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__ + str(failure)[:12])
def test_what_passes_is_told_and_tried_again(failure: Answer) -> None:
    out = io.StringIO()
    service = scripted(described("Executing"), failure, failure, described("Succeeded"))
    assert finish(service, out=out).verdict.outcome == "registered"
    told = [line for line in out.getvalue().splitlines() if "trying again" in line]
    assert [line.rpartition("; ")[2] for line in told] == ["trying again (1 of 19)", "trying again (2 of 19)"]


def test_a_failure_in_the_middle_of_the_pages_reads_them_all_again() -> None:
    out = io.StringIO()
    service = script()
    first, second = dict(service._answers["ListPipelineExecutionSteps"][0]), []
    first["NextToken"] = "more"
    second = [first, DROPPED, first, {"PipelineExecutionSteps": []}]
    service._answers["ListPipelineExecutionSteps"] = second
    assert len(finish(service, out=out).execution.steps) == 6
    assert "ConnectionClosedError" in out.getvalue()


def test_the_numbers_of_the_verdict_are_waited_for_too() -> None:
    service = script()
    service._answers["DescribeModelPackage"].insert(0, EXPIRED)
    assert finish(service).verdict.tuned_roc_auc == 0.8643


def test_each_success_starts_the_count_anew() -> None:
    failures = [THROTTLED] * (FAILURES_IN_A_ROW - 1)
    service = scripted(*failures, described("Executing"), *failures, described("Succeeded"))
    assert finish(service).execution.status == "Succeeded"


def test_too_many_failures_in_a_row_end_with_how_to_go_on() -> None:
    service = scripted(THROTTLED)
    with pytest.raises(
        ContactError, match=r"after 20 failures in a row, the last: ThrottlingException in Describe"
    ) as error:
        finish(service)
    assert f"run-pipeline --follow {EXECUTION}" in str(error.value)
    assert service.names() == ["DescribePipelineExecution"] * FAILURES_IN_A_ROW


def test_what_does_not_pass_is_told_at_once() -> None:
    service = scripted(ServiceRefusal("AccessDeniedException", "not yours"))
    with pytest.raises(ClientError, match="not yours"):
        finish(service)
    assert len(service.calls) == 1
    assert not is_passing(NoCredentialsError())


def test_an_interrupt_ends_the_waiting_for_the_network_too() -> None:
    interrupt = Event()
    interrupt.set()
    with pytest.raises(InterruptionError, match="which goes on; to follow it again: run-pipeline --follow arn:"):
        finish(scripted(DROPPED), interrupt=interrupt, stops=False)


def test_after_its_time_following_ends_and_says_how_to_resume_and_how_to_stop() -> None:
    service = scripted(described("Executing"))
    with pytest.raises(FollowingTimeoutError, match=r"for 0\.0001 minutes, and it goes on") as error:
        finish(service, minutes=0.0001)
    assert f"run-pipeline --follow {EXECUTION}" in str(error.value)
    assert f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {EXECUTION}" in str(error.value)
    assert "StopPipelineExecution" not in service.names()
    assert error.value.exit_code == 1


def test_an_execution_that_ends_in_time_is_judged() -> None:
    assert finish(scripted(described("Executing"), described("Succeeded")), minutes=5).verdict.exit_code == 0


def test_clients_sign_with_credentials_that_the_file_has_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, file = script(), tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    file.write_text("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = s\naws_session_token = t\n")
    signed: list[str] = []
    service.session.events.register_first(
        "before-send", lambda request, **_: signed.append(request.headers["Authorization"].decode())
    )
    service._answers["DescribePipelineExecution"] = [EXPIRED, described("Succeeded")]
    finish(service)
    assert "Credential=AKIAEXAMPLE/" in signed[0]
    assert "Credential=AKIANEW/" in signed[1]


def test_without_new_credentials_the_old_ones_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = script().session
    renew(session)
    held = session.get_credentials()
    assert isinstance(held, Credentials)
    assert held.access_key == "AKIAEXAMPLE"
