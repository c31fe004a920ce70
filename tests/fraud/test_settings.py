"""The pipeline's settings: read from wherever the code is, and what the definition takes of them."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.settings import read_settings
from pipelines.fraud import settings
from pipelines.fraud.dataset import write
from tests.fraud.compiling import BUCKET, Account, Json, flat, own_arguments

PACKAGE = Path(settings.__file__).parent
FILE = PACKAGE / "settings.json"
CHOSEN = read_settings(FILE)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python that finds a checkout's code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COVERAGE_"))}
    environment |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copied(tmp_path / "checkout")


def copied(folder: Path) -> Path:
    shutil.copytree(PACKAGE.parent, folder / "pipelines", ignore=shutil.ignore_patterns("local", "__pycache__"))
    return folder


def change(checkout: Path, **values: Any) -> None:
    file = checkout / FILE.relative_to(PACKAGE.parents[1])
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


# Where they are found


def test_the_file_is_packaged() -> None:
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())
    assert FILE.name in project["tool"]["setuptools"]["package-data"]["pipelines.fraud"]


def test_they_are_read_in_a_checkout_that_cannot_be_written_to(checkout: Path) -> None:
    folders = [checkout, *(path for path in checkout.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    done = python(checkout, "-c", "from pipelines.fraud import settings; print(settings.PIPELINE_NAME)")
    for folder in folders:
        folder.chmod(0o755)
    assert (done.stdout, done.stderr) == (f"{CHOSEN.pipeline_name}\n", "")


def test_reading_them_imports_nothing_slow() -> None:
    code = "import sys; from pipelines.fraud import settings; print(*sys.modules)"
    loaded = set(python(PACKAGE.parents[1], "-c", code).stdout.split())
    assert "pipelines.fraud.settings" in loaded
    assert loaded.isdisjoint({"boto3", "botocore", "sagemaker", "numpy", "pandas", "pyarrow"})


@pytest.mark.parametrize("command", ["approve_model", "get_pipeline_definition"])
def test_a_command_says_in_one_line_what_is_wrong_with_them(checkout: Path, command: str) -> None:
    change(checkout, roc_auc_threshold=85)
    shutil.copytree(PACKAGE.parent / "local", checkout / "pipelines" / "local")
    (checkout / ".sagemaker-local").mkdir()
    done = python(checkout, "-m", f"pipelines.{command}", "--local")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.endswith(
        "pipelines/fraud/settings.json: 'roc_auc_threshold' is 85; allowed: a number from 0 to below 1"
    )


# What is taken of them


@pytest.fixture
def changed(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account in which the pipeline is compiled with other settings."""
    monkeypatch.setattr(settings, "PROCESSING_INSTANCE_TYPE", "ml.m4.10xlarge")
    monkeypatch.setattr(settings, "TRAINING_INSTANCE_TYPE", "ml.m4.16xlarge")
    monkeypatch.setattr(settings, "ROC_AUC_THRESHOLD", 0.0625)
    monkeypatch.setattr(settings, "MODEL_DESCRIPTION", "Ours.")
    return account


def defaults(definition: Json) -> dict[str, Json]:
    return {item["Name"]: item["DefaultValue"] for item in definition["Parameters"]}


def test_the_definition_says_what_they_say(definition: Json, steps: dict[str, Json]) -> None:
    found = defaults(definition)
    register = steps["Register"]["Arguments"]
    limits = steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
    hosted = register["InferenceSpecification"]["SupportedRealtimeInferenceInstanceTypes"]
    assert found["ProcessingInstanceType"] == CHOSEN.processing_instance_type
    assert found["TrainingInstanceType"] == CHOSEN.training_instance_type
    assert found["RocAucThreshold"] == CHOSEN.roc_auc_threshold
    assert register["ModelPackageGroupName"] == CHOSEN.model_package_group_name
    assert register["ModelPackageDescription"] == CHOSEN.model_description
    assert (hosted[0], len(set(hosted))) == (CHOSEN.hosting_instance_type, len(hosted))
    assert limits == {
        "MaxNumberOfTrainingJobs": CHOSEN.max_tuning_jobs,
        "MaxParallelTrainingJobs": CHOSEN.max_parallel_tuning_jobs,
    }


def test_other_settings_change_what_they_are_about_and_nothing_else(changed: Account, definition: Json) -> None:
    other = json.loads(changed.compile())
    different = {name for name, value in defaults(other).items() if value != defaults(definition)[name]}
    assert different == {"ProcessingInstanceType", "TrainingInstanceType", "RocAucThreshold"}
    before, after = flat(definition), flat(other)
    changed_steps = {name for name in before if own_arguments(before[name]) != own_arguments(after[name])}
    assert changed_steps == {"Register", "RegisterTuned"}


def test_a_checkout_with_other_names_compiles_to_them(checkout: Path) -> None:
    change(checkout, pipeline_name="claims", model_package_group_name="ours", base_job_prefix="team/claims")
    code = (
        "import inspect; from pipelines.fraud.pipeline import get_pipeline; parameters ="
        " inspect.signature(get_pipeline).parameters; print(*(parameters[name].default for name in"
        " ('pipeline_name', 'model_package_group_name', 'base_job_prefix')))"
    )
    assert python(checkout, "-c", code).stdout == "claims ours team/claims\n"


def test_data_of_ones_own_in_s3_are_the_default_input(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "INPUT_DATA", "s3://ours/claims/")
    assert defaults(json.loads(account.compile()))["InputData"] == "s3://ours/claims/"
    assert not [key for key in account.objects() if "/data/" in key]


def test_a_folder_of_ones_own_is_uploaded_as_the_default_input(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "claims", rows=20)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "INPUT_DATA", "claims")
    found = defaults(json.loads(account.compile()))["InputData"]
    key = found.removeprefix(f"s3://{BUCKET}/") + "claims.csv"
    assert account.objects()[key] == (tmp_path / "claims" / "claims.csv").read_bytes()


def test_a_folder_that_is_not_there_is_named(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "INPUT_DATA", "no-such-folder")
    with pytest.raises(Exception, match="no-such-folder is not a folder: give the folder that holds the input files"):
        account.compile()
    assert not [key for key in account.objects() if "/data/" in key]
