"""What the page shows of an execution while it goes on, of one that fails, and of one that is stopped."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.local.conftest import Pipeline
from tests.local.documents import ALWAYS, BUCKET, condition, definition, parameter, shell
from tests.ui.browsing import Answer, Client

Create = Callable[..., Pipeline]


@pytest.fixture
def client(fresh: tuple[Site, Server]) -> Client:
    return Client(fresh[1].url)


@pytest.fixture
def create(fresh: tuple[Site, Server]) -> Create:
    site, _ = fresh
    site.s3.create_bucket(Bucket=BUCKET)
    return lambda *steps, **more: Pipeline(site.client, "p", definition(*steps, **more))


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file that a step waits for."""
    path = tmp_path / "go"
    yield path
    path.touch()


def waiting(gate: Path) -> str:
    return f"echo first line; until [ -e '{gate}' ]; do sleep 0.02; done; echo last line"


def address(arn: str) -> str:
    return f"/pipelines/p/executions/{arn.rpartition('/')[2]}"


def until(look: Callable[[], Answer], words: str) -> Answer:
    """Look again until the page says it; the test's timeout ends a vain wait."""
    while words not in (answer := look()).words:
        pass
    return answer


def test_an_execution_is_live_until_it_has_ended(client: Client, create: Create, gate: Path) -> None:
    steps = [
        shell("Slow", waiting(gate)),
        condition("Choice", ALWAYS, then=[shell("Then", DependsOn=["Slow"])], otherwise=[shell("Else")]),
        shell("After", DependsOn=["Slow"]),
    ]
    pipeline = create(*steps)
    arn = pipeline.start()
    page = until(lambda: client.get(address(arn)), "Slow is at work")
    page = until(lambda: client.get(address(arn)), "Else (Processing): not taken")
    assert page.is_live
    assert "Running" in page.words
    assert "at most 2 still to come" in page.words
    for step, state in {"Slow": "running", "After": "waiting", "Then": "waiting", "Else": "not taken"}.items():
        assert f'aria-label="{step}: {state}"' in page.text
    assert client.get("/").is_live
    assert "Running" in client.get("/").section(f"run-{arn[-12:]}")

    gate.touch()
    pipeline.wait(arn)
    ended = client.get(address(arn))
    assert not ended.is_live
    assert "All 4 steps succeeded" in ended.words
    assert 'aria-label="Else: not taken"' in ended.text
    assert "Finished" in client.get("/").section(f"run-{arn[-12:]}")
    assert not client.get("/").is_live


def test_the_log_of_a_running_step_grows_on_its_page(client: Client, create: Create, gate: Path) -> None:
    pipeline = create(shell("Slow", waiting(gate), outputs=["out"]))
    arn = pipeline.start()
    path = f"{address(arn)}/steps/Slow"
    running = until(lambda: client.get(path), "first line")
    assert running.is_live
    assert "last line" not in running.section("log")
    assert "Nothing there yet" in running.section("outputs-out")
    gate.touch()
    pipeline.wait(arn)
    ended = client.get(path)
    assert "first line last line" in ended.section("log")
    assert not ended.is_live


def test_a_step_that_has_not_begun_says_what_it_waits_for(client: Client, create: Create, gate: Path) -> None:
    pipeline = create(shell("Slow", waiting(gate)), shell("Next", DependsOn=["Slow"]))
    arn = pipeline.start()
    until(lambda: client.get(address(arn)), "Slow is at work")
    page = client.get(f"{address(arn)}/steps/Next")
    assert "Processing step, waiting" in page.words
    assert "waits for Slow" in page.words
    assert page.is_live


def test_a_failure_is_told_with_its_reason_and_the_end_of_its_log(client: Client, create: Create) -> None:
    arn = create(shell("Bad", "echo '<b>what went wrong</b>'; exit 3"), shell("Next", DependsOn=["Bad"])).run().arn
    page = client.get(address(arn))
    assert "Bad failed, so no model was registered" in page.words
    assert "<b>what went wrong</b>" in page.words
    assert 'aria-label="Next: not run"' in page.text
    step = client.get(f"{address(arn)}/steps/Bad")
    assert "<b>what went wrong</b>" in step.section("log")
    assert "<b>what" not in step.text
    assert "Failed" in client.get("/").section(f"run-{arn[-12:]}")
    assert "Bad failed: " in client.get("/").section(f"run-{arn[-12:]}")


def test_an_execution_that_was_stopped_has_no_verdict(
    client: Client, create: Create, fresh: tuple[Site, Server]
) -> None:
    pipeline = create(shell("Slow", "sleep 3142"))
    arn = pipeline.start()
    until(lambda: client.get(address(arn)), "Slow is at work")
    fresh[0].client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    pipeline.wait(arn)
    assert "The run was stopped before it ended" in client.get(address(arn)).words
    assert "Stopped" in client.get("/").section(f"run-{arn[-12:]}")


def test_an_execution_that_is_retried_is_looked_into_again(
    client: Client, create: Create, gate: Path, fresh: tuple[Site, Server]
) -> None:
    pipeline = create(shell("Fickle", f"test -e '{gate}'"))
    arn = pipeline.run().arn
    assert "Failed" in client.get("/").section(f"run-{arn[-12:]}")
    gate.touch()
    fresh[0].client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    pipeline.wait(arn)
    assert "Finished" in client.get("/").section(f"run-{arn[-12:]}")


def test_text_of_others_is_shown_and_never_acts(client: Client, create: Create) -> None:
    mark = "<script>alert(1)"
    pipeline = create(shell("Echo", f"echo '{mark}'"), parameters=[parameter("Note", DefaultValue="plain")])
    arn = pipeline.run({"Note": f'"{mark}'}).arn
    for path in (
        "/",
        address(arn),
        f"{address(arn)}/steps/Echo",
        f"{address(arn)}/steps/{mark}",
        "/pipelines/<script>",
    ):
        answer = client.get(path.replace(" ", "%20"))
        assert "<script>" not in answer.text
        assert "<script" in answer.words or path == "/"


def test_a_fresh_machine_says_how_to_begin(client: Client, fresh: tuple[Site, Server]) -> None:
    answer = client.get("/")
    assert "Nothing has run here yet" in answer.words
    assert f"run-pipeline --local --local-root {fresh[0].places.root}" in answer.words
