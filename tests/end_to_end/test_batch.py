"""Batch transform with the pipeline's model: the same probabilities, bit for bit, as its functions give."""

import csv
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import inference
from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session
from tests.docs.pages import as_here, blocks, section
from tests.end_to_end.conftest import Done, Shell
from tests.local.documents import ROLE

BUCKET = "batch"
ROWS = 300


class Batch:
    """The model that a run registered, the labelled claims beside it, and jobs that send these through that."""

    def __init__(self, local: LocalSession, package: str, folder: Path) -> None:
        self.root = local.root
        self.s3: Any = local.client("s3")
        self.sagemaker: Any = local.client("sagemaker")
        self.runtime: Any = local.client("sagemaker-runtime")
        self.s3.create_bucket(Bucket=BUCKET)
        described = self.sagemaker.describe_model_package(ModelPackageName=package)
        container = described["InferenceSpecification"]["Containers"][0]
        given: Any = {name: container[name] for name in ("Image", "ModelDataUrl", "Environment")}
        self.sagemaker.create_model(ModelName="batch", ExecutionRoleArn=ROLE, PrimaryContainer=given)
        with tarfile.open(self.path(container["ModelDataUrl"])) as archive:
            archive.extractall(folder, filter="data")
        self.model = inference.model_fn(folder)
        labelled = self.path(described["CustomerMetadataProperties"]["LabelledRows"]).read_text(encoding="utf-8")
        self.header, *self.rows = list(csv.reader(labelled.splitlines()))[: ROWS + 1]

    def path(self, uri: str) -> Path:
        return self.root / "s3" / uri.removeprefix("s3://")

    def expected(self) -> list[str]:
        """Return what the functions of the model's script give for the claims, as text."""
        body = "".join(f"{','.join(row[1:])}\n" for row in self.rows)
        answer = inference.transform_fn(self.model, body, "text/csv", "text/csv")
        assert isinstance(answer, tuple)
        return answer[0].splitlines()

    def run(self, name: str, body: str, kind: str, **more: Any) -> dict[str, Any]:
        """Send an object through the model, and return the description of the job when it has ended."""
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{name}", Body=body.encode())
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/{name}"}
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="batch",
            TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": kind, "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out", "Accept": kind, "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **more,
        )
        while True:
            job: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            if job["TransformJobStatus"] != "InProgress":
                return job

    def transform(self, name: str, body: str, kind: str, **more: Any) -> str:
        """Send an object through the model, and return what came back."""
        job = self.run(name, body, kind, **more)
        assert job["TransformJobStatus"] == "Completed", job["FailureReason"]
        return str(self.s3.get_object(Bucket=BUCKET, Key=f"out/{name}.out")["Body"].read().decode())


@pytest.fixture(scope="module")
def batch(first_run: Done, shared_shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    opened = session(shared_shell.root)
    yield Batch(opened, first_run.outcome["model_package_arn"], tmp_path_factory.mktemp("model"))
    opened.close()


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
def test_claims_as_csv_get_the_probabilities_of_the_functions(batch: Batch, strategy: str) -> None:
    body = "".join(f"{','.join(row)}\n" for row in batch.rows)
    process = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    found = batch.transform(f"csv-{strategy}", body, "text/csv", BatchStrategy=strategy, DataProcessing=process)
    assert len(set(batch.expected())) > 100
    assert found.splitlines() == [f"{row[0]},{score}" for row, score in zip(batch.rows, batch.expected(), strict=True)]


def test_claims_as_json_lines_get_the_same_ones(batch: Batch) -> None:
    numbers = {column.name for column in batch.model.schema.features if column.kind != "category"}
    claims = [
        {
            name: float(cell) if name in numbers and cell else cell or None
            for name, cell in zip(batch.header[1:], row[1:], strict=True)
        }
        for row in batch.rows[:40]
    ]
    body = "".join(f"{json.dumps(claim)}\n" for claim in claims)
    process = {"JoinSource": "Input", "OutputFilter": "$.SageMakerOutput.predictions[0].score"}
    found = batch.transform("json", body, "application/json", BatchStrategy="SingleRecord", DataProcessing=process)
    assert [repr(json.loads(line)) for line in found.splitlines()] == batch.expected()[:40]


def test_an_endpoint_gives_the_same_ones(batch: Batch) -> None:
    variant = {"VariantName": "v", "ModelName": "batch", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    batch.sagemaker.create_endpoint_config(EndpointConfigName="batch", ProductionVariants=[variant])
    batch.sagemaker.create_endpoint(EndpointName="batch", EndpointConfigName="batch")
    try:
        batch.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="batch", WaiterConfig={"Delay": 1})
        found = [
            batch.runtime.invoke_endpoint(
                EndpointName="batch", ContentType="text/csv", Accept="text/csv", Body=",".join(row[1:]).encode()
            )["Body"].read()
            for row in batch.rows[:40]
        ]
    finally:
        batch.sagemaker.delete_endpoint(EndpointName="batch")
    assert [answer.decode() for answer in found] == [f"{score}\n" for score in batch.expected()[:40]]


def test_a_claim_that_is_wrong_fails_the_job_with_the_line_that_names_its_column(batch: Batch) -> None:
    column = "incident_severity"
    wrong = [cell if name != column else "Apocalyptic" for name, cell in zip(batch.header, batch.rows[2], strict=True)]
    body = "".join(f"{','.join(row)}\n" for row in (*batch.rows[:2], wrong))
    job = batch.run("wrong", body, "text/csv", DataProcessing={"InputFilter": "$[1:]"})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: 400: ")
    assert column in job["FailureReason"]
    assert "Apocalyptic" in job["FailureReason"]
    assert job["FailureReason"].endswith(f"(lines 1 to 3 of s3://{BUCKET}/in/wrong)")


def test_the_example_of_the_documentation_puts_each_label_beside_its_score(batch: Batch, shared_shell: Shell) -> None:
    (program,) = blocks(section("docs/local.md", "Batch transform"), "python")
    program = as_here(program).replace('".sagemaker-local"', repr(str(shared_shell.root)))
    done = subprocess.run(
        [sys.executable, "-c", program], env=shared_shell.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    scores = batch.expected()
    assert done.stdout.splitlines()[:3] == [f"{row[0]},{scores[at]}" for at, row in enumerate(batch.rows[:3])]
