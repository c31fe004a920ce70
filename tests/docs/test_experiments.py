"""The commands and the program of the page on experiments are run, and record what is said."""

from pathlib import Path

from pipelines.delivery.tracking import local_tracking
from pipelines.fraud.settings import PIPELINE_NAME
from tests.delivery.tracking.experiments import Experiments
from tests.docs.pages import PAGES, blocks, rows, section
from tests.docs.test_commands import Shell

PAGE = "docs/experiments.md"


def test_what_is_typed_is_recorded_as_the_page_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (console,) = blocks(PAGES[PAGE], "console")
    typed = [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ run-pipeline")]
    for command in typed:
        shell.type(command)
    (again,) = blocks(section(PAGE, "What is recorded"), "sh")
    found = Experiments(local_tracking(tmp_path / ".sagemaker-local"))
    first, executions = found.runs(PIPELINE_NAME)[0], found.children(PIPELINE_NAME, None)
    shell.type(again.strip().replace("ARN", first.data.tags["sagemaker.arn"]))
    (program,) = blocks(section(PAGE, "From Python"), "python")
    shell.run_program(program)
    assert found.children(PIPELINE_NAME, None) == executions
    assert found.names() == {PIPELINE_NAME, "my-jobs"}
    check_kinds(found)


def check_kinds(found: Experiments) -> None:
    """Each kind of run says no more than its row of the table does."""
    said = {row[0]: " ".join(row) for row in rows(section(PAGE, "What is recorded"))}
    for run in found.runs(PIPELINE_NAME):
        kind = run.data.tags["sagemaker.kind"]
        own = {name for name in run.data.tags if not name.startswith(("mlflow.", "sagemaker."))}
        assert {name for name in own - {"cached_from"} if f"`{name}`" not in said[kind]} == set()
    kinds = {run.data.tags["sagemaker.kind"] for run in found.runs(PIPELINE_NAME)}
    assert kinds == set(said)
