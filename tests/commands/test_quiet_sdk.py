"""The SageMaker SDK is quiet in any module, and reports nothing; the program's own settings come back afterwards."""

import logging
import os
import warnings
from pathlib import Path

import pytest

from pipelines.quiet_sdk import USER_CONFIG, no_telemetry, quiet_sdk
from tests.commands.test_bad_usage import PRINT, call

# The SDK's own surroundings, as a module meets them whose import takes two seconds.
CHATTY = """
import json, logging, os, warnings
logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("sagemaker.core.utils.utils")
logger.setLevel(logging.DEBUG)

class Pipeline:
    name = "chatty"
    def definition(self):
        logger.debug("a detail")
        logger.warning("popping out")
        logger.error("a mistake")
        with open(os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"]) as file:
            return json.dumps({"Steps": [], "Region": os.environ["AWS_DEFAULT_REGION"], "Config": json.load(file)})

def get_pipeline(): return Pipeline()
"""


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(USER_CONFIG, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(("flags", "said"), [((), ["a mistake"]), (("--verbose",), ["popping out", "a mistake"])])
def test_an_own_module_hears_errors_only_and_reports_nothing(
    tmp_path: Path, flags: tuple[str, ...], said: list[str]
) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY)
    done = call(tmp_path, PRINT, "--local", "--module-name", "chatty", *flags)
    assert done.returncode == 0, done.stderr
    assert '"TelemetryOptOut": true' in done.stdout
    assert '"Region": "us-east-1"' in done.stdout
    printed = [line.rpartition(":")[2] for line in done.stderr.splitlines()]
    assert [line for line in printed if line != "a detail"] == said
    assert ("a detail" in printed) is bool(flags)


def test_a_configuration_of_the_users_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER_CONFIG, "mine.yaml")
    with quiet_sdk():
        assert os.environ[USER_CONFIG] == "mine.yaml"
    assert os.environ[USER_CONFIG] == "mine.yaml"


@pytest.mark.skipif("sys.platform != 'linux'", reason="the folder of configurations is another one")
def test_a_configuration_in_its_usual_place_stays(tmp_path: Path) -> None:
    usual = tmp_path / "config" / "sagemaker" / "config.yaml"
    usual.parent.mkdir(parents=True)
    usual.write_text("SchemaVersion: '1.0'")
    with quiet_sdk():
        assert USER_CONFIG not in os.environ


def test_what_was_set_before_is_so_again() -> None:
    logger = logging.getLogger("sagemaker")
    before = logger.propagate, logger.handlers[:], logging.getLogger().handlers[:], warnings.filters[:]
    with quiet_sdk():
        logging.basicConfig(level=logging.DEBUG, force=True)
    assert (logger.propagate, logger.handlers, logging.getLogger().handlers, warnings.filters) == before
    assert USER_CONFIG not in os.environ


def test_the_configuration_is_the_sdks() -> None:
    assert no_telemetry()["SageMaker"]["PythonSDK"]["Modules"] == {"TelemetryOptOut": True}
