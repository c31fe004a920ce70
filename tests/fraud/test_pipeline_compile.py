"""What a compile of the pipeline does: uploads by content, the same bytes each time, and errors that say enough."""

import ast
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoRegionError

from pipelines.fraud import schema, settings
from pipelines.fraud.pipeline import get_pipeline
from tests.fraud.compiling import BUCKET, ROLE, Account, Compiled, Json, flat, inputs, own_arguments
from tests.fraud.scripts.own_data import make, passengers_schema

# Uploads


def test_every_processing_job_finds_just_its_own_files(compiled: Compiled, steps: dict[str, Json]) -> None:
    for name, script in (("Preprocess", settings.PREPROCESS), ("Evaluate", settings.EVALUATE)):
        prefix = inputs(steps[name])["code"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        found = {key.removeprefix(prefix): body for key, body in compiled.objects.items() if key.startswith(prefix)}
        assert found == {file: (settings.SCRIPTS / file).read_bytes() for file in script.files}
    assert inputs(steps["EvaluateTuned"])["code"] == inputs(steps["Evaluate"])["code"]


def test_the_training_archive_holds_just_its_own_files(compiled: Compiled, steps: dict[str, Json]) -> None:
    archive = steps["Train"]["Arguments"]["HyperParameters"]["sagemaker_submit_directory"]
    packed = compiled.objects[archive.removeprefix(f"s3://{BUCKET}/")]
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert sorted(archive.getnames()) == sorted(settings.TRAIN.files)


@pytest.mark.parametrize("script", [settings.PREPROCESS, settings.TRAIN, settings.EVALUATE], ids=lambda s: s.program)
def test_a_scripts_files_hold_all_that_they_import(script: settings.Script) -> None:
    for file in script.files:
        imported = set()
        if file.endswith(".py"):
            for node in ast.walk(ast.parse((settings.SCRIPTS / file).read_text())):
                if isinstance(node, ast.Import):
                    imported |= {name.name for name in node.names}
                if isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module))
        siblings = {name for name in imported if (settings.SCRIPTS / f"{name}.py").exists()}
        assert {f"{name}.py" for name in siblings} <= set(script.files), file
        assert not [name for name in imported if name.split(".")[0] == "pipelines"], "not installed in a container"


def test_the_sample_data_is_the_default_input(compiled: Compiled, definition: Json) -> None:
    default = next(item["DefaultValue"] for item in definition["Parameters"] if item["Name"] == "InputData")
    prefix = default.removeprefix(f"s3://{BUCKET}/")
    files = {key.removeprefix(prefix): body for key, body in compiled.objects.items() if key.startswith(prefix)}
    assert set(files) == {"claims.csv", "customers.csv"}
    assert files["claims.csv"].count(b"\n") == 5001


def test_given_input_data_is_the_default_and_nothing_is_made_up(account: Account) -> None:
    definition = json.loads(account.compile(input_data="s3://ours/claims/"))
    assert [item["DefaultValue"] for item in definition["Parameters"] if item["Name"] == "InputData"] == [
        "s3://ours/claims/"
    ]
    assert not [key for key in account.objects() if "/data/" in key]


def test_where_the_sample_data_do_not_fit_the_schema_each_run_is_told_its_data(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SCHEMA_FILE", make(tmp_path).schema_file)
    definition = json.loads(account.compile())
    assert {"Name": "InputData", "Type": "String"} in definition["Parameters"]
    assert not [key for key in account.objects() if "/data/" in key]


def test_a_mistake_in_the_schema_is_told_before_anything_is_uploaded(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make(tmp_path)
    own.write_schema({**passengers_schema(), "label": "lost"})
    monkeypatch.setattr(schema, "SCHEMA_FILE", own.schema_file)
    with pytest.raises(schema.SchemaError, match=r"^schema\.json: label is 'lost', and the columns of the kind label"):
        account.compile()
    assert account.objects() == {}


def test_a_schema_that_is_missing_is_told_with_its_place(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SCHEMA_FILE", tmp_path / "schema.json")
    with pytest.raises(
        schema.SchemaError, match=rf"^{tmp_path}/schema\.json: No such file or directory; take the file"
    ):
        account.compile()
    assert account.objects() == {}


def test_s3_is_all_of_aws_that_a_compile_asks(compiled: Compiled) -> None:
    assert set(compiled.calls) <= {"s3:ListBuckets", "s3:HeadBucket", "s3:ListObjectsV2", "s3:PutObject"}


def test_a_second_compile_uploads_nothing(compiled: Compiled) -> None:
    assert "s3:PutObject" in compiled.calls
    assert "s3:PutObject" not in compiled.new_calls


def test_a_program_that_logs_warnings_gets_none(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    account.compile(input_data="s3://ours/claims/")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


# The same bytes


def test_asking_twice_gives_the_same_definition(compiled: Compiled) -> None:
    assert compiled.again == compiled.text


def test_compiling_twice_gives_the_same_definition(compiled: Compiled) -> None:
    assert compiled.new == compiled.text


ELSEWHERE = """
import sys
reached = []
NETWORK = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, args: reached.append(args) if event in NETWORK else None)
import boto3
from moto import mock_aws
from pipelines.fraud import dataset, schema, settings
from pipelines.fraud.pipeline import get_pipeline
# As in the process of the tests.
schema.SCHEMA_FILE, settings.INPUT_DATA = dataset.SCHEMA_FILE, None
with mock_aws():
    session = boto3.Session("AKIA", "secret", region_name="eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    session.client("s3").create_bucket(Bucket=sys.argv[2], CreateBucketConfiguration=place)
    pipeline = get_pipeline(role=sys.argv[1], default_bucket=sys.argv[2], boto_session=session)
    print(pipeline.definition())
if reached:
    sys.exit(f"the network was reached for: {reached}")
"""


def test_another_checkout_folder_process_and_hash_seed_give_the_same_bytes(compiled: Compiled, tmp_path: Path) -> None:
    checkout = tmp_path / "another checkout"
    shutil.copytree(settings.SCRIPTS.parents[1], checkout / "pipelines", ignore=shutil.ignore_patterns("local"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"PYTHONPATH": str(checkout), "PYTHONHASHSEED": "4711", "HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, ROLE, BUCKET],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.stderr == "", "no warning, no log line, no network"
    assert result.stdout == compiled.text + "\n", "the definition alone"


def test_a_change_of_the_evaluation_leaves_training_cached(
    account: Account, compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = shutil.copytree(settings.SCRIPTS, tmp_path / "steps")
    with (changed / "evaluate.py").open("a") as file:
        file.write("# a change\n")
    monkeypatch.setattr(settings, "SCRIPTS", changed)
    before, after = flat(json.loads(compiled.text)), account.steps()
    assert {name for name in before if own_arguments(before[name]) != own_arguments(after[name])} == {
        *("Evaluate", "EvaluateTuned"),
        # Their packages tell the hash of the code.
        *("Register", "RegisterTuned"),
    }


# Arguments


def test_the_projects_convention_is_understood(account: Account) -> None:
    project = "arn:aws:sagemaker:eu-west-1:111122223333:project/claims"
    pipeline = account.pipeline(
        region="eu-west-1",
        sagemaker_project_arn=project,
        model_package_group_name="claims-group",
        pipeline_name="claims-pipeline",
        base_job_prefix="claims-p-1",
    )
    definition = json.loads(pipeline.definition())
    register = flat(definition)["Register"]["Arguments"]
    assert pipeline.name == "claims-pipeline"
    assert register["ModelPackageGroupName"] == "claims-group"
    assert register["CustomerMetadataProperties"]["SageMakerProjectArn"] == project
    assert {key.split("/")[0] for key in account.objects()} == {"claims-p-1"}


def test_the_number_of_trials_can_be_chosen(account: Account) -> None:
    tune = account.steps(max_tuning_jobs=20, max_parallel_tuning_jobs=4)["Tune"]
    limits = tune["Arguments"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits == {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"role": "pipeline"}, r"role is 'pipeline': give the full ARN, arn:aws:iam::<account>:role/<name>"),
        ({"max_tuning_jobs": 2}, r"max_parallel_tuning_jobs is 5 and max_tuning_jobs is 2: .* at most the second"),
        ({"max_parallel_tuning_jobs": 0}, r"max_parallel_tuning_jobs is 0: expected a whole number of at least 1"),
        ({"max_tuning_jobs": 0}, r"max_tuning_jobs is 0: expected a whole number of at least 1"),
        ({"max_tuning_jobs": "7"}, r"max_tuning_jobs is '7': expected a whole number"),
        ({"max_tuning_jobs": True}, r"max_tuning_jobs is True: expected a whole number"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_and_nothing_goes_up(
    account: Account, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        account.compile(**arguments)
    assert account.objects() == {}


def test_without_any_region_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(settings, "REGION", None)
    with pytest.raises(NoRegionError, match="You must specify a region"):
        get_pipeline(role=ROLE)
