"""What holds for every test: its environment, and which tests a copy can run that has one provider's files only.

There is no AWS of the user's, and a region for the SDK, which asks for one at its import.
"""

import os
from pathlib import Path

import pytest

from pipelines.adoption.init.providers import FILES, GITHUB
from tests.adoption.init.copies import REPOSITORY
from tests.sample_code import copy_code
from tests.ui.left_out import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

# The template is for both providers, and builds are tried on what GitHub's workflows have made: who has removed the
# files of one provider cannot run these.
_REMOVED = {name for name, files in FILES.items() if not (REPOSITORY / files[0]).exists()}
collect_ignore = ["iam", "project_template/test_events.py"] if _REMOVED else []
if GITHUB in _REMOVED:
    collect_ignore += ["project_template", "workflows"]


@pytest.fixture(scope="session")
def sample_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code for the sample data, which tests of the template itself run."""
    return copy_code(tmp_path_factory.mktemp("sample code"))
