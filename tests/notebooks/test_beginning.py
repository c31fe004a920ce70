"""The quick path, 0.0, 1.1 and 5.1: what is chosen and uploaded first is what the whole pipeline works with."""

import json
import os
import shlex
import signal
import subprocess
from typing import Any
from urllib.request import urlopen

from pipelines.fraud.dataset import DEFAULT_ROWS
from tests.notebooks.learner import Learner, Seen

SETUP, DATASET, WHOLE = "0.0.Setup-Environment", "1.1.Prepare-Dataset", "5.1.All-Pipeline"


def test_the_quick_path_leads_from_the_choice_and_the_data_to_the_whole_pipeline(learner: Learner) -> None:
    shows_the_place(learner, setup := learner.run(SETUP))
    ui, experiments = setup.text("windows").splitlines()
    assert "there are no experiments in" in says(experiments)
    uri = shows_the_data(learner, learner.run(DATASET))
    assert choice(learner).items() >= {"place": "local", "data": uri}.items()
    learner.run(WHOLE)
    assert uri in inputs_of_preprocess(learner)
    assert "workshop-all-" in first_page(ui)
    assert "<title>MLflow</title>" in first_page(experiments)


def says(command: str) -> str:
    """Return what a command prints that a terminal of JupyterLab runs: in another folder, with another path."""
    ended = subprocess.run(
        shlex.split(command), cwd="/", env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    return ended.stdout + ended.stderr


def first_page(command: str) -> str:
    """Return the page that is opened by a command, typed in such a terminal, on a free port."""
    typed = [*shlex.split(command), "--port", "0"]
    with subprocess.Popen(typed, cwd="/", env={"PATH": os.defpath}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            with urlopen(process.stdout.readline().strip()) as answer:
                page: str = answer.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
    return page


def shows_the_place(learner: Learner, seen: Seen) -> None:
    known = dict(seen.rows("identity"))
    assert known["account"] == "000000000000"
    assert known["state is kept in"] == str(learner.root)
    assert seen.text("s3").strip() == "['workshop/hello.txt'] Hello, SageMaker!"
    assert seen.text("sagemaker") == "[]"
    assert "ResourceNotFound" in seen.text("error")
    assert "no-such-pipeline" in seen.text("error")


def shows_the_data(learner: Learner, seen: Seen) -> str:
    """Check what is said of the data, and return where they were uploaded to."""
    assert len(seen.rows("missing")) == 3
    assert f"{DEFAULT_ROWS} rows" in seen.text("none")
    assert "0 empty cells" in seen.text("none")
    assert seen.text("rate").strip() == "163 of 5000 claims are fraudulent: 3.26%"
    assert all(seen.pictures(cell) for cell in ("columns", "pairs"))
    uri, same = seen.text("upload").strip().splitlines()
    assert same.endswith("True")
    assert objects_below(learner, uri) == ["claims.csv", "customers.csv"]
    return uri


def choice(learner: Learner) -> dict[str, Any]:
    return dict(json.loads((learner.folder / "workshop.json").read_text(encoding="utf-8")))


def objects_below(learner: Learner, uri: str) -> list[str]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    with learner.session() as session:
        found = session.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return [entry["Key"].removeprefix(prefix) for entry in found]


def inputs_of_preprocess(learner: Learner) -> list[str]:
    """Return what the one job that preprocessed read."""
    with learner.session() as session:
        client = session.client("sagemaker")
        (job,) = client.list_processing_jobs(NameContains="-Preprocess-")["ProcessingJobSummaries"]
        described = client.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
    return [each["S3Input"]["S3Uri"] for each in described["ProcessingInputs"]]
