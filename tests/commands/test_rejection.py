"""approve-model --reject of a version that serves: the way out is told for each endpoint that serves it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import command_line
from pipelines.approve_model import main
from pipelines.delivery.run import Site
from tests.delivery.deployment.fake_aws import GROUP
from tests.delivery.deployment.scenes import PRODUCTION, STAGING, Scene
from tests.delivery.deployment.service import Refusal

Reject = Callable[..., list[str]]


@pytest.fixture
def scene() -> Scene:
    """Version 1 serves in staging, and 2 in production, where 1 did before."""
    scene = Scene()
    for order, version in ((STAGING, "1"), (PRODUCTION, "1"), (PRODUCTION, "2")):
        scene.deploy(order, version)
    return scene


@pytest.fixture
def reject(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reject:
    """Reject a version; return what is printed below the decision."""

    @contextmanager
    def open_site(*_: object, **__: object) -> Iterator[Site]:
        yield Site(scene.aws.session, 0.001, stops_on_interrupt=False)

    def type_command(version: str, *arguments: str) -> list[str]:
        assert main([version, "--reject", "--note", "it drifts", "--group", GROUP, *arguments]) == 0
        return capsys.readouterr().out.splitlines()[2:]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "open_site", open_site)
    return type_command


def test_a_version_whose_place_another_took_is_not_said_to_serve_there(reject: Reject) -> None:
    (line,) = reject("1")
    assert re.fullmatch(
        r"it still serves in staging; next: .*deploy.model --stage staging --rollback --group fraud  # takes it out",
        line,
    )


def test_a_version_that_serves_is_told_with_the_command_that_takes_it_out(scene: Scene, reject: Reject) -> None:
    scene.deploy(STAGING, "2")
    lines = reject("2")
    assert [line.partition(";")[0] for line in lines] == ["it still serves in staging", "it still serves in production"]


@pytest.mark.parametrize(("stage", "count"), [("production", 0), ("staging", 1)])
def test_of_a_stages_decision_only_its_endpoint_matters(reject: Reject, stage: str, count: int) -> None:
    assert len(reject("1", "--stage", stage)) == count


def test_after_a_teardown_nothing_serves(scene: Scene, reject: Reject) -> None:
    scene.tear_down(PRODUCTION)
    assert reject("2") == []


def test_who_may_not_see_the_endpoints_is_told_what_the_registry_knows(scene: Scene, reject: Reject) -> None:
    def refuse(operation: str, _: object) -> None:
        if operation == "DescribeEndpoint":
            raise Refusal("AccessDeniedException", "not yours")

    scene.aws.before = refuse
    assert reject("1") == ["it was deployed to production; what serves in staging and production now could not be seen"]
