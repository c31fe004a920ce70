"""From a run to a serving endpoint: approved, deployed, tested, and rolled back when it is not what was registered."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Done, Shell
from tests.end_to_end.deployments import (
    GROUP,
    Files,
    Load,
    Registry,
    hanging_inference,
    inverted_inference,
    predict,
    raising_inference,
    serving,
    url_of,
)

Broken = tuple[Callable[[Files], None], str]

STAGING, PRODUCTION = f"{GROUP}-staging", f"{GROUP}-production"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, sample_code: Path) -> Iterator[Shell]:
    """A shell on a root of its own, with one registered model; no endpoint outlives it."""
    folder = tmp_path_factory.mktemp("deployment 배포")
    shell = Shell(folder / "local root", folder / "work", sample_code)
    try:
        done = shell.run()
        assert done.code == 0, done.error
        yield shell
    finally:
        for stage in ("staging", "production"):
            shell.run("--stage", stage, "--teardown", module="deploy_model")


@pytest.fixture(scope="module")
def registry(shell: Shell) -> Registry:
    return Registry(shell.root)


def approve(shell: Shell, version: int) -> None:
    done = shell.run(str(version), "--approve", "--note", "good on the test set", module="approve_model")
    assert done.code == 0, done.error


def deploy(shell: Shell, stage: str, *arguments: str | Path) -> Done:
    return shell.run("--stage", stage, *arguments, module="deploy_model")


@pytest.fixture(scope="module")
def deployed(shell: Shell, registry: Registry) -> dict[str, Done]:
    """The first version, approved, then deployed to staging and production."""
    assert len(registry.versions()) == 1
    approve(shell, 1)
    return {stage: deploy(shell, stage) for stage in ("staging", "production")}


@pytest.fixture(scope="module")
def row(registry: Registry) -> bytes:
    """One raw claim with its header, without its label."""
    lines = labelled(registry)
    return as_csv(lines[:2])


def labelled(registry: Registry) -> list[list[str]]:
    uri = registry.versions()[0]["CustomerMetadataProperties"]["LabelledRows"]
    return list(csv.reader(io.StringIO(registry.read(uri).decode())))


def as_csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(line[1:] for line in lines)
    return text.getvalue().encode()


def test_nothing_is_deployed_before_somebody_approves(shell: Shell, registry: Registry) -> None:
    assert registry.versions()[0]["ModelApprovalStatus"] == "PendingManualApproval"
    done = deploy(shell, "staging")
    assert done.code == 1
    assert "approve-model" in done.error
    again = deploy(shell, "staging", "--model-package", registry.versions()[0]["ModelPackageArn"])
    assert again.code == 1
    assert "PendingManualApproval" in again.error


def test_an_approved_model_serves_in_both_stages(deployed: dict[str, Done], shell: Shell, row: bytes) -> None:
    for stage, endpoint in (("staging", STAGING), ("production", PRODUCTION)):
        assert deployed[stage].code == 0, deployed[stage].error
        status, config = serving(shell.root, endpoint)
        assert status == "InService"
        assert config.startswith(f"{GROUP}-{stage}-v1-")
        (probability,) = predict(shell.root, endpoint, row)
        assert 0 <= float(probability) <= 1


def test_the_registry_says_who_approved_why_and_where_the_model_is(
    deployed: dict[str, Done], registry: Registry
) -> None:
    assert deployed["production"].code == 0
    package = registry.versions()[0]
    assert "good on the test set" in package["ApprovalDescription"]
    assert "arn:aws:" in package["ApprovalDescription"]
    assert package["ModelLifeCycle"]["Stage"] == "production"
    assert package["ModelLifeCycle"]["StageStatus"] == "Deployed"


def test_the_same_deployment_again_changes_nothing(deployed: dict[str, Done], shell: Shell) -> None:
    assert deployed["production"].code == 0
    before = serving(shell.root, PRODUCTION), url_of(shell.root, PRODUCTION)
    done = deploy(shell, "production")
    assert done.code == 0, done.error
    assert "already" in done.output
    assert (serving(shell.root, PRODUCTION), url_of(shell.root, PRODUCTION)) == before


def test_every_labelled_row_has_the_same_bits_at_the_endpoint_one_by_one_and_in_batches(
    deployed: dict[str, Done], shell: Shell, registry: Registry
) -> None:
    assert deployed["staging"].code == 0
    header, *rows = labelled(registry)
    (answer,) = predict(shell.root, STAGING, as_csv([header, *rows]))
    together = answer.splitlines()
    assert len(together) == len(rows) > 100
    singles = predict(shell.root, STAGING, *(as_csv([header, row]) for row in rows[:50]))
    assert [one.strip() for one in singles] == together[:50]


@pytest.mark.parametrize(
    "broken",
    [(raising_inference, "in ALARM state"), (hanging_inference, "in ALARM state"), (inverted_inference, "ROC AUC")],
)
def test_a_broken_model_is_rolled_back_and_no_request_fails_meanwhile(
    deployed: dict[str, Done], shell: Shell, registry: Registry, row: bytes, broken: Broken
) -> None:
    assert deployed["production"].code == 0
    change, said = broken
    right = predict(shell.root, PRODUCTION, row)
    before = serving(shell.root, PRODUCTION)
    version = registry.register_changed(registry.versions()[0], change)
    approve(shell, version)
    with Load(url_of(shell.root, PRODUCTION), row).running() as load:
        done = deploy(shell, "production", "--model-package", str(version))
    assert done.code == 1
    assert said in done.error + done.output
    assert load.problems == []
    assert load.statuses == {200}
    assert load.count > 100
    assert serving(shell.root, PRODUCTION) == before
    assert predict(shell.root, PRODUCTION, row) == right
    assert registry.versions()[version - 1]["ModelLifeCycle"]["StageStatus"] == "RolledBack"
