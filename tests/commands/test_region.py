"""The region that commands work in: that of the settings beside a module, where nothing else names one."""

import json
from pathlib import Path

import pytest

from tests.commands.test_bad_usage import ROLE, call

PIPELINE = """
import json


class Pipeline:
    name = "ours"

    def __init__(self, region):
        self.region = region

    def definition(self):
        return json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [], "Region": self.region})


def get_pipeline(region=None):
    return Pipeline(region)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "claims_of_ours"
    folder.mkdir()
    (folder / "pipeline.py").write_text(PIPELINE)
    return folder


def region_of(package: Path, **environment: str) -> object:
    """Return the region that a pipeline is compiled for in AWS."""
    flags = ("--module-name", f"{package.name}.pipeline", "--role-arn", ROLE)
    done = call(package.parent, "pipelines.get_pipeline_definition", *flags, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["Region"]


def test_the_settings_beside_the_module_name_it(package: Path) -> None:
    (package / "settings.py").write_text('REGION = "eu-west-3"')
    assert region_of(package) == "eu-west-3"


def test_what_the_environment_says_comes_first(package: Path) -> None:
    (package / "settings.py").write_text('REGION = "eu-west-3"')
    assert region_of(package, AWS_DEFAULT_REGION="us-east-2") == "us-east-2"


@pytest.mark.parametrize("settings", [None, "", "REGION = None", "REGION = 7"])
def test_settings_without_one_are_none(package: Path, settings: str | None) -> None:
    if settings is not None:
        (package / "settings.py").write_text(settings)
    assert region_of(package) is None


def test_deployments_go_there_too(package: Path) -> None:
    (package / "settings.py").write_text('REGION = "eu-west-3"\nMODEL_PACKAGE_GROUP_NAME = "ours"')
    for command in (("approve_model",), ("deploy_model", "--stage", "staging", "--role-arn", ROLE)):
        done = call(package.parent, f"pipelines.{command[0]}", *command[1:], "-n", f"{package.name}.pipeline")
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1
        assert "NoCredentialsError: Unable to locate credentials" in line
