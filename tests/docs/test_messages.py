"""The messages that the documentation quotes are those that one gets."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from columns import DataError
from pipelines.fraud import dataset
from pipelines.local.boto_session import LocalSession
from pipelines.local.cache import Cache, Entry
from pipelines.local.containers import isolation
from pipelines.local.database import Database
from pipelines.local.session import session
from pipelines.local.steps.job_steps import CACHING_IS_OFF
from preprocess import preprocess
from tests.docs.pages import blocks, quoted, rows, section

ROLE = "arn:aws:iam::000000000000:role/sagemaker-local"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8-cpu"
DAY = 86_400.0


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalSession]:
    opened = session(tmp_path / "root", region="us-east-1")
    yield opened
    opened.close()


def processing_job(*, image: str = XGBOOST, count: int = 1, mode: str = "File", command: bool = True) -> dict[str, Any]:
    entrypoint = {"ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/work.py"]} if command else {}
    source = {
        "S3Uri": "s3://bucket/data",
        "LocalPath": "/opt/ml/processing/input/data",
        "S3DataType": "S3Prefix",
        "S3InputMode": mode,
    }
    cluster = {"InstanceCount": count, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    return {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": image, **entrypoint},
        "ProcessingInputs": [{"InputName": "data", "S3Input": source}],
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def test_what_this_machine_refuses_is_quoted_word_for_word(local: LocalSession) -> None:
    client: Any = local.client("sagemaker")
    steps = [{"Name": "Notify", "Type": "Lambda", "Arguments": {}}]
    definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
    attempts: list[Callable[[], object]] = [
        lambda: client.create_processing_job(**processing_job(image=PYTORCH)),
        lambda: client.create_processing_job(**processing_job(count=2)),
        lambda: client.create_processing_job(**processing_job(command=False)),
        lambda: client.create_processing_job(**processing_job(mode="Pipe")),
        lambda: client.create_pipeline(PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE),
        lambda: client.create_app(DomainId="d", AppType="JupyterServer", AppName="a"),
    ]
    (quotation,) = blocks(section("docs/local.md", "What is refused"), "text")
    assert [refusal_of(attempt) for attempt in attempts] == quotation.splitlines()
    assert client.list_processing_jobs()["ProcessingJobSummaries"] == []


def refusal_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        attempt()
    assert caught.value.response["Error"]["Code"] in {"ValidationException", "NotImplemented"}
    return str(caught.value.response["Error"]["Message"])


def test_the_error_of_a_path_that_is_not_there_without_namespaces_is_quoted() -> None:
    (quotation,) = blocks(section("docs/local.md", "Without namespaces"), "text")
    source = Path(isolation.__file__).read_text(encoding="utf-8")
    assert f'"{quotation.strip()}"' in source


def test_the_reasons_of_cache_misses_are_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tmp_path / "state.sqlite")
    cache = Cache(database)
    arguments = ["--threshold"] * 7
    earlier, later = (
        {"AppSpecification": {"ContainerArguments": [*arguments, threshold]}} for threshold in ("0.85", "0.99")
    )
    reasons = [cache.find("p/Evaluate", earlier, None).reason]
    cache.remember("p/Evaluate", earlier, Entry("arn", {}))
    reasons.append(cache.find("p/Evaluate", later, None).reason)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 8 * DAY)
    reasons += [cache.find("p/Evaluate", earlier, 7 * DAY).reason, CACHING_IS_OFF]
    database.close()
    table = rows(section("docs/local.md", "Caching"))[-len(reasons) :]
    assert [quoted(row[0]) for row in table] == [[reason] for reason in reasons]


Change = Callable[[Path], object]


def cell(file: str, line: int, column: str, value: str) -> Change:
    """Put a value into one cell; the header is line 1."""

    def change(folder: Path) -> None:
        lines = [text.split(",") for text in (folder / file).read_text().splitlines()]
        lines[line - 1][lines[0].index(column)] = value
        (folder / file).write_text("".join(",".join(cells) + "\n" for cells in lines))

    return change


def content(file: str, edit: Callable[[bytes], bytes]) -> Change:
    return lambda folder: (folder / file).write_bytes(edit((folder / file).read_bytes()))


def no_fraud(folder: Path) -> None:
    for line in range(2, 302):
        cell("claims.csv", line, "fraud", "0")(folder)


MISTAKES: list[Change] = [
    lambda folder: (folder / "claims.csv").write_text("policy_id,fraud\n"),
    content("customers.csv", lambda text: text.replace(b"\n", b",1\n").replace(b",1\n", b",shoe_size\n", 1)),
    cell("customers.csv", 2, "policy_state", "TX"),
    cell("claims.csv", 4, "vehicle_claim", "lots"),
    cell("claims.csv", 4, "num_witnesses", "1.5"),
    cell("claims.csv", 4, "incident_month", "13"),
    cell("claims.csv", 4, "fraud", "2"),
    content("customers.csv", lambda text: text.replace(b"\n1,", b"\n1\xf6,", 1)),
    content("claims.csv", lambda text: text.partition(b"\n")[0] + b"\n"),
    cell("claims.csv", 4, "policy_id", "1"),
    cell("customers.csv", 4, "policy_id", "9999"),
    no_fraud,
]


def test_what_preprocess_refuses_is_quoted_word_for_word(tmp_path: Path) -> None:
    messages = []
    for number, mistake in enumerate(MISTAKES):
        folder = tmp_path / str(number)
        dataset.write(folder, rows=300)
        mistake(folder)
        with pytest.raises(DataError) as caught:
            preprocess(folder, folder / "output", seed=1, schema_file=dataset.SCHEMA_FILE)
        messages.append(str(caught.value))
        assert not (folder / "output").exists()
    quotation, _ = blocks(section("docs/data.md", "What is refused"), "text")
    assert messages == quotation.splitlines()
