"""What the notebooks share: the choice of a place, the data, and jobs that are run once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.fraud.settings import BASE_JOB_PREFIX
from tests.notebooks.learner import Learner

BUCKET = "sagemaker-us-east-1-000000000000"
ROLE = "arn:aws:iam::000000000000:role/team"


def run(learner: Learner, code: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what code prints that is run beside the notebooks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV", "PYTEST"))}
    own = {"PYTHONPATH": str(learner.code), "AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", f"import workshop\n{code}"],
        cwd=learner.folder,
        env={**kept, **own, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout or done.stderr.splitlines()[-1]


def choice(learner: Learner) -> dict[str, Any]:
    """Return what the notebooks remember."""
    read: dict[str, Any] = json.loads((learner.folder / "workshop.json").read_text())
    return read


def test_without_a_choice_it_is_this_machine(learner: Learner) -> None:
    assert run(learner, "print(workshop.place().is_local)") == "True\n"
    assert not (learner.folder / "workshop.json").exists()


def test_a_place_that_is_none_is_refused_and_the_choice_stays(learner: Learner) -> None:
    (learner.folder / "workshop.json").write_text('{"place": "local"}')
    said = run(learner, "workshop.choose('AWS')")
    assert said == "ValueError: 'AWS' is no place to work: choose 'local' or 'aws'"
    assert choice(learner) == {"place": "local"}


def test_a_new_choice_keeps_the_data_and_data_that_are_not_there_do_not_count(learner: Learner) -> None:
    code = f"""
workshop.use_data("s3://{BUCKET}/my/data/")
place = workshop.choose("local")
place.session.client("s3").put_object(Bucket=place.bucket, Key="my/data/claims.csv", Body=b"")
print(workshop.data(place))
for gone in ("s3://{BUCKET}/deleted/", "s3://elsewhere/my/data/"):
    workshop.use_data(gone)
    print(workshop.data(place))
"""
    mine, *samples = run(learner, code).splitlines()
    assert mine == f"s3://{BUCKET}/my/data/"
    assert len(samples) == 2
    assert all(sample.startswith(f"s3://{BUCKET}/{BASE_JOB_PREFIX}/data/") for sample in samples)
    assert choice(learner)["data"] == "s3://elsewhere/my/data/"


def test_the_sample_data_are_where_the_pipeline_looks_for_them(learner: Learner) -> None:
    code = """
import json
from pipelines.fraud.pipeline import get_pipeline
place = workshop.place()
made = get_pipeline(boto_session=place.session, role=place.role, default_bucket=place.bucket)
defaults = {each["Name"]: each.get("DefaultValue") for each in json.loads(made.definition())["Parameters"]}
print(defaults["InputData"] == workshop.data(place))
"""
    assert run(learner, code) == "True\n"


def test_sample_data_are_not_for_a_copy_with_another_schema(tmp_path: Path, learner: Learner) -> None:
    copy = shutil.copytree(learner.code, tmp_path / "copy")
    schema = copy / "pipelines" / "fraud" / "steps" / "schema.json"
    schema.write_text(schema.read_text(encoding="utf-8").replace("policy_state", "state"), encoding="utf-8")
    learner.code = copy
    said = run(learner, "workshop.data(workshop.place())")
    assert said.startswith("ValueError: the sample data do not fit this copy's schema: upload your own in 1.1, or ")
    assert not learner.root.joinpath("s3", BUCKET, BASE_JOB_PREFIX, "data").exists()


def test_jobs_are_run_once_for_the_same_data_and_code(learner: Learner) -> None:
    code = """
place = workshop.place()
print(sorted(workshop.prepared(place)), workshop.prepared(place) == workshop.prepared(place))
print(workshop.trained(place) == workshop.trained(place))
for list_jobs in (place.site.client.list_processing_jobs, place.site.client.list_training_jobs):
    print(sum(len(value) for name, value in list_jobs().items() if name.endswith("Summaries")))
"""
    outputs = ["input", "labelled", "schema", "test", "train", "validation"]
    assert run(learner, code).splitlines() == [f"{outputs} True", "True", "1", "1"]


def test_in_aws_the_same_calls_go_there(learner: Learner, aws: dict[str, str], tmp_path: Path) -> None:
    options = f"role={ROLE!r}, bucket='team-bucket', tracking='arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/x'"
    code = f"""
chosen = workshop.choose("aws", {options})
place = workshop.place()
print(place.is_local, place.role == chosen.role == {ROLE!r}, place.tracking.uri)
print(workshop.data(place))
print(place.waiting)
"""
    said = run(learner, code, aws).splitlines()
    assert said[0] == "False True arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/x"
    assert said[1].startswith(f"s3://team-bucket/{BASE_JOB_PREFIX}/data/")
    assert said[2] == "{'Delay': 15.0, 'MaxAttempts': 480}"
    assert (tmp_path / "aws" / "s3" / said[1].removeprefix("s3://") / "claims.csv").is_file()
    assert not learner.root.exists()
