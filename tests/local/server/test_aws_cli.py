"""The real AWS CLI against the server."""

import json
import random
from pathlib import Path

from tests.local.documents import ROLE, definition, shell
from tests.local.server.conftest import Aws

LARGE = 20 * 1024 * 1024


def test_buckets_and_large_objects(aws: Aws, root: Path) -> None:
    content = random.Random(1).randbytes(LARGE)
    (aws.folder / "up").write_bytes(content)
    assert "make_bucket: other" in aws("s3", "mb", "s3://other")
    assert [line.split()[2] for line in aws("s3", "ls").splitlines()] == ["bucket", "other"]
    aws("s3", "cp", "--no-progress", "up", "s3://bucket/a/up")
    assert aws("s3", "ls", "s3://bucket/a/").split()[2:] == [str(LARGE), "up"]
    aws("s3", "cp", "--no-progress", "s3://bucket/a/up", "down")
    assert (aws.folder / "down").read_bytes() == content
    assert list((root / "tmp").iterdir()) == []


def test_folders_are_synchronized_both_ways(aws: Aws, root: Path) -> None:
    for name in ("a", "b/c d", "b/ü"):
        (aws.folder / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (aws.folder / "here" / name).write_text(name)
    assert aws("s3", "sync", "--no-progress", "here", "s3://bucket/there").count("upload:") == 3
    assert aws("s3", "sync", "--no-progress", "here", "s3://bucket/there") == ""
    (aws.folder / "here" / "a").unlink()
    aws("s3", "sync", "--no-progress", "--delete", "here", "s3://bucket/there")
    assert not (root / "s3" / "bucket" / "there" / "a").exists()
    aws("s3", "sync", "--no-progress", "s3://bucket/there", "back")
    back = {str(path.relative_to(aws.folder / "back")) for path in (aws.folder / "back").rglob("*") if path.is_file()}
    assert back == {"b/c d", "b/ü"}
    aws("s3", "rm", "--recursive", "s3://bucket/there")
    assert list((root / "s3" / "bucket").rglob("*")) == []


def test_pipelines_and_executions(aws: Aws) -> None:
    (aws.folder / "definition.json").write_text(definition(shell("Step", "echo done")))
    text = ["--pipeline-definition", "file://definition.json", "--role-arn", ROLE]
    created = json.loads(aws("sagemaker", "create-pipeline", "--pipeline-name", "p", *text))
    assert created["PipelineArn"] == "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p"
    listed = json.loads(aws("sagemaker", "list-pipelines"))["PipelineSummaries"]
    assert [pipeline["PipelineName"] for pipeline in listed] == ["p"]
    arn = json.loads(aws("sagemaker", "start-pipeline-execution", "--pipeline-name", "p"))["PipelineExecutionArn"]
    status = "Executing"
    while status == "Executing":
        describe = ["describe-pipeline-execution", "--pipeline-execution-arn", arn]
        status = aws("sagemaker", *describe, "--query", "PipelineExecutionStatus", "--output", "text").strip()
    assert status == "Succeeded"


def test_the_identity(aws: Aws) -> None:
    assert json.loads(aws("sts", "get-caller-identity"))["Account"] == "000000000000"


def test_the_endpoint_may_be_a_flag(aws: Aws) -> None:
    endpoint = aws._environment["AWS_ENDPOINT_URL"]
    done = aws.run("--endpoint-url", endpoint.replace("127.0.0.1", "localhost"), "s3", "ls", AWS_ENDPOINT_URL="")
    assert done.stdout.split()[2] == "bucket", done.stderr


def test_mistakes_are_told_as_by_aws(aws: Aws) -> None:
    done = aws.run("sagemaker", "describe-pipeline", "--pipeline-name", "missing")
    assert done.returncode
    assert "(ResourceNotFound) when calling the DescribePipeline operation" in done.stderr
    done = aws.run("s3", "cp", "s3://bucket/missing", "missing")
    assert done.returncode == 1
    assert "404" in done.stderr
    assert list(aws.folder.iterdir()) == []
