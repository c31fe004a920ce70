"""This copy's own pipeline, on the data that its settings name: it runs to its gate, under its own names."""

import json
import subprocess
from pathlib import Path

import pytest

from pipelines.delivery.settings import read_settings
from pipelines.fraud import dataset
from tests.adoption.init.copies import REPOSITORY, SCHEMA, SETTINGS
from tests.end_to_end.conftest import Shell

OWN = read_settings(REPOSITORY / SETTINGS)


def why_not() -> str:
    """Return why there are no data here that the pipeline could run on, or nothing."""
    if OWN.input_data is None:
        schema = json.loads((REPOSITORY / SCHEMA).read_text(encoding="utf-8"))
        return "" if dataset.fits(schema) else f"{SETTINGS} names no data, and the sample data do not fit the schema"
    return "" if (REPOSITORY / OWN.input_data).is_dir() else f"{OWN.input_data} of {SETTINGS} is no folder here"


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_pipeline_runs_to_its_gate_on_its_data(tmp_path: Path) -> None:
    done = Shell(tmp_path / "root", tmp_path / "work").run(cwd=REPOSITORY)
    assert done.code in (0, 3), done.error
    assert done.outcome["outcome"] == ("registered" if done.code == 0 else "rejected")
    assert done.outcome["pipeline"] == OWN.pipeline_name
    assert done.outcome["verdict"]["threshold"] == OWN.roc_auc_threshold
    package = f":model-package/{OWN.model_package_group_name}/1"
    assert done.code == 3 or done.outcome["model_package_arn"].endswith(package)


def test_the_pipeline_compiles_with_its_schema_and_settings(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "root", tmp_path / "work")
    kwargs = json.dumps({"input_data": "s3://somewhere/else/"})
    done = subprocess.run(
        shell.command("--kwargs", kwargs, module="get_pipeline_definition"),
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    defaults = {each["Name"]: each["DefaultValue"] for each in json.loads(done.stdout)["Parameters"]}
    assert defaults["RocAucThreshold"] == OWN.roc_auc_threshold
    assert defaults["TrainingInstanceType"] == OWN.training_instance_type
