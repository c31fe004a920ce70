"""AWS clients of a job's own: they reach the machine that runs the job."""

import json
import threading
from pathlib import Path
from typing import Any

from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session as local_session
from tests.local.conftest import TERMINAL, Client, Execution, Pipeline
from tests.local.documents import BUCKET, definition, shell

SCRIPT = """
import json, os, boto3
s3 = boto3.client("s3")
s3.download_file("bucket", "in/data.txt", "data.txt")
text = open("data.txt").read()
open("out.txt", "w").write(text.upper())
s3.upload_file("out.txt", "bucket", "out/data.txt")
sagemaker = boto3.client("sagemaker")
steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=os.environ["EXECUTION"])["PipelineExecutionSteps"]
found = {
    "account": boto3.client("sts").get_caller_identity()["Account"],
    "region": boto3.Session().region_name,
    "pipelines": [item["PipelineName"] for item in sagemaker.list_pipelines()["PipelineSummaries"]],
    "steps": {step["StepName"]: step["StepStatus"] for step in steps},
    "endpoint": os.environ["AWS_ENDPOINT_URL"],
}
s3.put_object(Bucket="bucket", Key="out/found.json", Body=json.dumps(found).encode())
"""


def scripted(**environment: Any) -> str:
    """Return a definition whose one job runs the script at s3://bucket/code."""
    step = shell("Script", inputs={"code": f"s3://{BUCKET}/code"})
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "/opt/ml/processing/code/script.py"]
    step["Arguments"]["Environment"] = environment
    return definition(step)


def run(session: LocalSession) -> dict[str, Any]:
    """Run the script in a session, and return what it found."""
    s3, sagemaker = session.client("s3"), session.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=SCRIPT.encode())
    s3.put_object(Bucket=BUCKET, Key="in/data.txt", Body=str(session.root).encode())
    execution = Pipeline(sagemaker, "p", scripted(EXECUTION={"Get": "Execution.PipelineExecutionArn"})).run()
    assert execution.status == "Succeeded", execution.listed
    assert s3.get_object(Bucket=BUCKET, Key="out/data.txt")["Body"].read().decode() == str(session.root).upper()
    found: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key="out/found.json")["Body"].read())
    return found


def test_a_job_reads_and_writes_s3_and_asks_sagemaker(session: LocalSession) -> None:
    found = run(session)
    assert found["account"] == "000000000000"
    assert found["region"] == "us-east-1"
    assert found["pipelines"] == ["p"]
    assert found["steps"] == {"Script": "Executing"}


def test_two_sessions_at_once_have_their_own(session: LocalSession, other_session: LocalSession) -> None:
    found: dict[Path, dict[str, Any]] = {}

    def work(one: LocalSession) -> None:
        found[one.root] = run(one)

    threads = [threading.Thread(target=work, args=(one,)) for one in (session, other_session)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.keys() == {session.root, other_session.root}
    assert found[session.root]["endpoint"] != found[other_session.root]["endpoint"]


def test_what_the_user_gives_counts(session: LocalSession, s3: Client, sagemaker: Client) -> None:
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "mine"}
    given_and_ours = {**given, "AWS_DEFAULT_REGION": "us-east-1"}
    script = (
        f"import os; found = {{n: os.environ[n] for n in {list(given_and_ours)}}}; assert found == {given_and_ours}"
    )
    s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=script.encode())
    execution = Pipeline(sagemaker, "p", scripted(**given)).run()
    assert execution.status == "Succeeded", execution.listed


def test_there_is_no_server_before_the_first_job(session: LocalSession, sagemaker: Client, s3: Client) -> None:
    assert Pipeline(sagemaker, "p", definition(shell("Step", cache="P1D"))).run().status == "Succeeded"
    assert session.services.has_server()
    again = local_session(session.root)
    client: Client = again.client("sagemaker")
    arn = client.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    execution = Execution(client, arn).wait_for(lambda status, _: status in TERMINAL)
    assert execution.cached == {"Step"}
    assert not again.services.has_server()
    again.close()


def test_closing_stops_a_job_that_runs_on_its_own(session: LocalSession, s3: Client, sagemaker: Client) -> None:
    sagemaker.create_processing_job(ProcessingJobName="job", **shell("Job", "sleep 3142")["Arguments"])
    session.close()
    again = local_session(session.root)
    described = again.client("sagemaker").describe_processing_job(ProcessingJobName="job")
    assert described["ProcessingJobStatus"] == "Stopped"
    again.close()
