"""Transform steps: what they are given, what they give, and what becomes of them."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pipelines.local.session import session as local_session
from tests.local.conftest import Client, Execution, Pipeline
from tests.local.documents import BUCKET, ROLE, XGBOOST, definition, parameter, shell
from tests.local.executions.test_killed import first_line, runner
from tests.local.jobs.job_requests import archive
from tests.local.jobs.transforms import DOUBLE

Create = Callable[..., Pipeline]
Json = dict[str, Any]
OUT = {"Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}]}}


@pytest.fixture
def data(s3: Client) -> str:
    """The claims to transform, and the URI of a model that doubles them."""
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1\n2\n")
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive({"code/inference.py": dedent(DOUBLE)}))
    return f"s3://{BUCKET}/model.tar.gz"


def create_model(name: str, data: str) -> Json:
    """Return a Model step of a script."""
    program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": XGBOOST, "ModelDataUrl": data, "Environment": program}
    return {"Name": name, "Type": "Model", "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}}


def transform(name: str, model: Any, *, cache: bool = False, **more: Any) -> Json:
    """Return a Transform step."""
    arguments = {
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": OUT, "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }
    return {"Name": name, "Type": "Transform", "Arguments": arguments, "CacheConfig": {"Enabled": cache}}


def test_a_step_takes_the_model_of_another_and_gives_its_results_to_a_third(
    create: Create, sagemaker: Client, s3: Client, data: str
) -> None:
    read = "cp /opt/ml/processing/scores/a.csv.out /opt/ml/processing/copy/scores"
    report = shell("Report", read, inputs={"scores": {"Get": "Steps.Score.TransformOutput.S3OutputPath"}})
    report["Arguments"]["ProcessingOutputConfig"] = {
        "Outputs": [
            {
                "OutputName": "copy",
                "S3Output": {
                    "S3Uri": f"s3://{BUCKET}/copy",
                    "LocalPath": "/opt/ml/processing/copy",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    steps = [create_model("Create", data), transform("Score", {"Get": "Steps.Create.ModelName"}), report]

    execution = create(definition(*steps)).run()

    assert execution.status == "Succeeded", execution.steps
    arn = execution.steps["Score"]["Metadata"]["TransformJob"]["Arn"]
    name = arn.rpartition("transform-job/")[2]
    assert name.startswith(f"pipelines-{execution.arn[-12:]}-Score-")
    job = sagemaker.describe_transform_job(TransformJobName=name)
    assert job["TransformJobStatus"] == "Completed"
    assert job["ModelName"].startswith(f"pipelines-{execution.arn[-12:]}-Create-")
    assert s3.get_object(Bucket=BUCKET, Key="copy/scores")["Body"].read() == b"2.0\n4.0\n"


def test_a_step_whose_records_fail_fails_with_the_reason(create: Create, s3: Client, data: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1\nword\n")
    steps = [create_model("Create", data), transform("Score", {"Get": "Steps.Create.ModelName"})]

    execution = create(definition(*steps)).run()

    assert execution.statuses == {"Create": "Succeeded", "Score": "Failed"}
    reason = "ClientError: ClientError: 400: could not convert string to float: 'word' (lines 1 to 2 of s3://bucket/in/"
    assert execution.steps["Score"]["FailureReason"].startswith(reason)


def test_a_step_is_reused_while_the_model_is_the_same_and_its_results_are_there(
    create: Create, sagemaker: Client, s3: Client, data: str
) -> None:
    arguments = create_model("Create", data)["Arguments"]
    for name in ("one", "two"):
        sagemaker.create_model(ModelName=name, **arguments)
    given = {"Get": "Parameters.Model"}
    text = definition(transform("Score", given, cache=True), parameters=[parameter("Model", DefaultValue="one")])
    pipeline = create(text)

    first, second, third = pipeline.run(), pipeline.run(), pipeline.run({"Model": "two"})
    s3.delete_object(Bucket=BUCKET, Key=f"runs/{first.arn[-12:]}/a.csv.out")

    assert [execution.cached for execution in (first, second, third)] == [set(), {"Score"}, set()]
    assert second.steps["Score"]["Metadata"] == first.steps["Score"]["Metadata"]
    assert pipeline.run().cached == set()


def test_a_step_after_a_model_step_is_never_reused(create: Create, data: str) -> None:
    steps = [create_model("Create", data), transform("Score", {"Get": "Steps.Create.ModelName"}, cache=True)]
    pipeline = create(definition(*steps))
    pipeline.run()
    assert pipeline.run().cached == set()


def test_a_step_that_needs_two_instances_is_refused_before_any_step_runs(
    create: Create, sagemaker: Client, data: str
) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    score = transform("Score", {"Get": "Steps.Create.ModelName"}, TransformResources=resources)
    pipeline = create(definition(create_model("Create", data), score))
    said = r"TransformResources\.InstanceCount is 2; this machine runs every job on one instance.*\(step 'Score'\)"
    with pytest.raises(sagemaker.exceptions.ClientError, match=said):
        pipeline.start()
    assert sagemaker.list_models()["Models"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SplitType": "Line"}, r"Unknown Argument member 'SplitType'"),
        ({"BatchStrategy": "Multi"}, "Value 'Multi' for 'BatchStrategy' failed to satisfy enum value set"),
        ({"TransformJobName": 1}, "Expecting a string"),
        ({"TransformOutput": {}}, "Missing required Argument member 'S3OutputPath'"),
    ],
)
def test_the_arguments_are_those_of_the_operation(create: Create, sagemaker: Client, change: Json, said: str) -> None:
    with pytest.raises(sagemaker.exceptions.ClientError, match=said):
        create(definition(transform("Score", "model", **change)))


@pytest.fixture
def other(root: Path) -> Iterator[Client]:
    """A second session on the same root."""
    made = local_session(root)
    yield made.client("sagemaker")
    made.close()


def test_a_killed_execution_leaves_a_failed_job_and_no_model_server(
    create: Create, root: Path, other: Client, s3: Client, data: str, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    waiting = f"open(f'{pids}/{{os.getpid()}}', 'w').close(); __import__('time').sleep(2718)\n        return [factor"
    slow = dedent(DOUBLE.replace("return [factor", waiting))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive({"code/inference.py": slow}))
    steps = [create_model("Create", data), transform("Score", {"Get": "Steps.Create.ModelName"})]
    create(definition(*steps))
    with runner(root) as process:
        execution = Execution(other, first_line(process))
        execution.wait_for(lambda _, steps: any(pids.iterdir()))
        process.send_signal(signal.SIGKILL)
    execution.wait_for(lambda status, _: status != "Executing")

    assert execution.statuses == {"Create": "Succeeded", "Score": "Failed"}
    name = execution.steps["Score"]["Metadata"]["TransformJob"]["Arn"].rpartition("/")[2]
    job = other.describe_transform_job(TransformJobName=name)
    assert job["TransformJobStatus"] == "Failed"
    assert "The process that ran this execution ended before it did" in job["FailureReason"]
    assert not list((root / "jobs").glob("*/*"))
    for pid in pids.iterdir():
        while Path("/proc", pid.name).exists():
            pass
