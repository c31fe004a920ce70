"""What docs/endpoints.md says of endpoints on this machine is what they do."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pipelines.fraud.settings import PIPELINE_NAME
from pipelines.local.api.cloudwatch import METRICS
from pipelines.local.api.runtime import MAX_BODY_BYTES, REFUSED
from pipelines.local.hosting import logs
from pipelines.local.hosting.alarms import NAMESPACE
from pipelines.local.hosting.deployment_requests import MAX_PERCENT, SIZES
from pipelines.local.hosting.endpoints import SERVING, START_SECONDS
from pipelines.local.hosting.logs import log_of
from pipelines.local.hosting.upstream import Limits
from pipelines.local.hosting.variant import LONGEST_PAUSE_SECONDS
from tests.docs.pages import PAGES, blocks, quoted, rows, section
from tests.docs.test_commands import Shell
from tests.local.documents import BUCKET, XGBOOST
from tests.local.hosted import Hosting, hosting, wait_until
from tests.local.server.conftest import Aws

PAGE = "docs/endpoints.md"
LABELLED = b"label,age,amount\n1,41,2\n"
STATES = {"Creating", "InService", "Updating", "RollingBack", "Failed", "Deleting"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Hosting]:
    """The root of the examples, with an approved package."""
    with hosting(tmp_path / ".sagemaker-local") as made:
        container = made.sagemaker.describe_model(ModelName="echo")["PrimaryContainer"]
        made.sagemaker.create_model_package_group(ModelPackageGroupName=PIPELINE_NAME)
        made.sagemaker.create_model_package(
            ModelPackageGroupName=PIPELINE_NAME,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{name: container[name] for name in ("Image", "ModelDataUrl", "Environment")}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties={"LabelledRows": f"s3://{BUCKET}/labelled.csv"},
        )
        assert container["Image"] == XGBOOST
        made.session.client("s3").put_object(Bucket=BUCKET, Key="labelled.csv", Body=LABELLED)
        yield made


def test_the_program_and_the_commands_do_what_is_said_of_them(site: Hosting, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (program,) = blocks(PAGES[PAGE], "python")
    shell.run_program(program)
    shell.run_program(program)
    assert re.fullmatch(r"InService http://127\.0\.0\.1:\d+\n", shell.printed[program])
    aws = Aws(site.session, tmp_path)
    commands = re.findall(r"^\$ aws (.*)$", PAGES[PAGE], re.MULTILINE)
    printed = [aws(*shlex.split(command)) for command in commands]
    assert json.loads(printed[0])["EndpointStatus"] == "InService"
    assert json.loads((tmp_path / "answer").read_text())["body"] == "age,amount\n41,2\n"
    assert json.loads(printed[2])["MetricAlarms"] == []
    wait_until(lambda: site.sagemaker.list_endpoints()["Endpoints"] == [], "the end of the endpoint")


def test_every_status_is_documented() -> None:
    documented = {quoted(row[0])[0]: row[1] for row in rows(section(PAGE, "States"))}
    assert set(documented) == STATES
    assert {status for status, meaning in documented.items() if "requests are answered" in meaning} == set(SERVING)


def test_ways_to_move_the_traffic_are_documented() -> None:
    documented = {quoted(row[0])[0]: quoted(row[1]) for row in rows(section(PAGE, "Updates"))[:3]}
    assert documented == {"ALL_AT_ONCE": [], **{kind: [size, "WaitIntervalInSeconds"] for kind, size in SIZES.items()}}
    assert f"may be {MAX_PERCENT} percent at most" in section(PAGE, "Updates").replace("\n", " ")


def test_metrics_are_documented() -> None:
    assert {NAMESPACE, *METRICS} <= set(quoted(section(PAGE, "Alarms")))


def test_the_numbers_are_right() -> None:
    text = " ".join(PAGES[PAGE].split())
    assert f"has more than {MAX_BODY_BYTES // 2**20} MiB" in text
    limits = Limits()
    assert f"within {limits.model:g} seconds" in text
    assert f"for {limits.trial:g} seconds, or {limits.trial:g} more than such an alarm allows" in text
    assert f"but {limits.longest_trial:g} at most" in text
    assert f"longer than {logs.MOST_BYTES >> 20} MiB is cut to its newest {logs.KEPT_BYTES >> 20} MiB" in text
    assert f"tried again every {LONGEST_PAUSE_SECONDS:g} seconds" in text
    assert f"waits for up to {START_SECONDS:g} seconds" in text


def test_what_no_request_may_have_is_documented() -> None:
    sentence = next(line for line in PAGES[PAGE].splitlines() if line.startswith("TargetModel"))
    assert set(re.findall(r"[A-Z]\w+", sentence)) == set(REFUSED.values())


def test_logs_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    (line,) = re.findall(r"file below `(.*?)`", section(PAGE, "Logs"))
    log = log_of(tmp_path, "<endpoint>")
    assert f"{log.parent.relative_to(tmp_path)}/" == line
    assert quoted(rows(section(PAGE, "Logs"))[0][0]) == [log.name]


def test_errors_are_quoted_word_for_word(site: Hosting) -> None:
    with pytest.raises(ClientError) as caught:
        site.invoke("name", b"")
    assert str(caught.value.response["Error"]["Message"]).replace("name", "<name>") in quoted(section(PAGE, "Requests"))
