"""Claims as they are put into the form, and answers as they are taken out, without an endpoint."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.deployment.requests import CSV, JSON
from pipelines.delivery.packages import ModelPackage
from pipelines.delivery.run import Site
from pipelines.ui.claims import LONGEST_ANSWER, Sample, read_sample, send
from tests.delivery.scripted import PACKAGE, Script

ROWS = "s3://bucket/labelled.csv"
PACKAGE_OF_ROWS = ModelPackage(PACKAGE, "fraud", 3, "Approved", "Completed", datetime(2026, 1, 2, tzinfo=UTC))


def sample(text: str, form: str = JSON, number: int = 1, place: str | None = ROWS) -> Sample | str:
    script = Script({}, {ROWS: text})
    package = ModelPackage(**{**vars(PACKAGE_OF_ROWS), "labelled_rows": place})
    return read_sample(Site(script.session, 0, stops_on_interrupt=False).s3, package, form, number)


def test_a_sample_is_a_row_without_its_label() -> None:
    found = sample("fraud,age,state\n1,41,NY\n0,52,\n", number=2)
    assert isinstance(found, Sample)
    assert json.loads(found.text) == {"instances": [{"age": 52, "state": None}]}
    assert (found.number, found.count, found.label) == (2, 2, 0)


def test_after_the_last_sample_comes_the_first() -> None:
    found = sample("fraud,age\n1,41\n0,52\n", CSV, number=3)
    assert found == Sample("age\n41\n", 1, 2, 1)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (None, "fraud/3 names no labelled rows to test the endpoint with (LabelledRows)"),
        ("/etc/passwd", "which is no object in S3"),
        ("s3://bucket/gone.csv", "there are no test data at s3://bucket/gone.csv"),
    ],
)
def test_rows_that_cannot_be_read_are_no_sample(place: str | None, says: str) -> None:
    found = sample("", place=place)
    assert isinstance(found, str)
    assert says in found
    assert "--test-data" not in found


class Runtime:
    """The edge of AWS: an endpoint that gives one answer."""

    def __init__(self, content: bytes = b"", content_type: str = JSON, error: ClientError | None = None) -> None:
        self._answer = {"Body": Body(content), "ContentType": content_type}
        self._error = error
        self.sent: dict[str, Any] = {}

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.sent = request
        if self._error:
            raise self._error
        return self._answer


class Body:
    """What botocore gives to read an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


def test_a_text_is_sent_with_the_lines_of_a_file_and_for_the_variant_that_is_wanted() -> None:
    runtime = Runtime(b"0.5", "text/csv")
    answer = send(runtime, "fraud", "age\r\n41\r\n", CSV, variant="green")
    assert runtime.sent["Body"] == b"age\n41\n"
    assert (runtime.sent["ContentType"], runtime.sent["Accept"], runtime.sent["TargetVariant"]) == (CSV, CSV, "green")
    assert (answer.status, answer.text, answer.is_good) == (200, "0.5", True)


def test_an_answer_in_json_is_laid_out_and_one_that_says_so_only_is_shown_as_it_is() -> None:
    assert send(Runtime(b'{"a":[1]}'), "fraud", "", JSON).text == '{\n  "a": [\n    1\n  ]\n}'
    assert send(Runtime(b'{"a":'), "fraud", "", JSON).text == '{"a":'
    assert send(Runtime(b"\xff\xfe", "application/octet-stream"), "fraud", "", JSON).text == "\ufffd\ufffd"


def test_of_a_long_answer_the_beginning_is_shown() -> None:
    answer = send(Runtime(b"1\n" * LONGEST_ANSWER, "text/csv"), "fraud", "", CSV)
    assert (len(answer.text), answer.cut) == (LONGEST_ANSWER, True)


def refused(code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "Received client error (400)"}, **more}
    return ClientError(response, "InvokeEndpoint")


def test_a_model_s_refusal_is_its_own_answer_and_the_service_s_is_a_problem() -> None:
    error = refused("ModelError", OriginalStatusCode=400, OriginalMessage="column 'age' is missing")
    answer = send(Runtime(error=error), "fraud", "", CSV)
    assert (answer.status, answer.text, answer.is_good, answer.problem) == (400, "column 'age' is missing", False, None)
    answer = send(Runtime(error=refused("AccessDeniedException")), "fraud", "", CSV)
    assert (answer.status, answer.is_good) == (None, False)
    assert str(answer.problem).startswith("AccessDeniedException in InvokeEndpoint: Received client error (400).")


def test_an_answer_that_did_not_come_whole_is_a_problem_and_no_success() -> None:
    error = refused("ModelError", OriginalStatusCode=0, OriginalMessage="")
    answer = send(Runtime(error=error), "fraud", "", CSV)
    assert (answer.status, answer.is_good) == (None, False)
    assert answer.problem == "ModelError in InvokeEndpoint: Received client error (400)"


def test_letters_that_no_text_has_are_shown_as_such() -> None:
    assert send(Runtime(b'{"a": "\\ud800"}'), "fraud", "", JSON).text == '{\n  "a": "?"\n}'


@pytest.mark.parametrize(("seconds", "says"), [(0.0042, "4.2 ms"), (0.9999, "999.9 ms"), (61.0, "1 min 01 s")])
def test_the_time_is_told_in_the_unit_of_its_size(seconds: float, says: str) -> None:
    answer = send(Runtime(b"0"), "fraud", "", CSV)
    assert type(answer)(seconds).took == says
