"""One execution for a commit's run, however often it is asked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.delivery.definition import Run
from pipelines.delivery.identity import Identity, identify
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.run import Launched, Site, launch
from pipelines.local.session import session
from tests.delivery.pipelines import NO_GATE, TWO_BRANCHES
from tests.delivery.runs import run_of, site
from tests.delivery.scripted import EXECUTION, PIPELINE, ROLE, Document, Script, ServiceRefusal
from tests.local.documents import ALWAYS, condition, definition

SHA = "0123456789abcdef0123456789abcdef01234567"
ORDER = PipelineOrder("fraud", NO_GATE, ROLE)
RUN = run_of(TWO_BRANCHES, RocAucThreshold="0.8")
FIRST = definition(condition("First", ALWAYS))
SECOND = definition(condition("Second", ALWAYS))


def identity(run: Run = RUN, *, commit: str = SHA, pipeline: str = "fraud", key: str | None = None) -> Identity:
    return identify(commit, pipeline, run, key)


def test_the_same_run_has_the_same_identity_in_whatever_order_its_parameters_came() -> None:
    one, other = run_of(TWO_BRANCHES, A="1", B="2"), run_of(TWO_BRANCHES, B="2", A="1")
    assert identity(one) == identity(other)
    assert 32 <= len(identity(one).token) <= 128
    assert len(identity(one).name) <= 82


@pytest.mark.parametrize(
    "other",
    [
        identity(commit="f" * 40),
        identity(pipeline="claims"),
        identity(run_of(TWO_BRANCHES, RocAucThreshold="0.9")),
        identity(run_of(NO_GATE, RocAucThreshold="0.8")),
        identity(key="weekly-7"),
    ],
    ids=["commit", "pipeline", "parameters", "definition", "key"],
)
def test_whatever_differs_makes_another_run(other: Identity) -> None:
    assert other.token != identity().token
    assert other.name != identity().name


def test_another_layout_of_the_definition_is_the_same_run() -> None:
    spaced = NO_GATE.replace(":", " : ")
    assert spaced != NO_GATE
    assert identity(run_of(spaced)) == identity(run_of(NO_GATE))


def executions(*names: str | None, token: str | None = None) -> Document:
    summaries = [
        {"PipelineExecutionArn": f"{PIPELINE}/execution/{number:012d}"}
        | ({"PipelineExecutionDisplayName": name} if name else {})
        for number, name in enumerate(names)
    ]
    return {"PipelineExecutionSummaries": summaries} | ({"NextToken": token} if token else {})


def test_a_start_is_looked_for_on_all_pages_and_attached_to_before_anything_is_changed() -> None:
    pages = [executions(None, "another", token="more"), executions("a-third", identity().name)]
    service = Script({"ListPipelineExecutions": pages})
    launched = launch(site(service), ORDER, RUN, identity())
    assert launched == Launched(f"{PIPELINE}/execution/000000000001", "attached")
    assert service.names() == ["ListPipelineExecutions"] * 2


def test_a_first_start_carries_token_and_name() -> None:
    service = Script(
        {
            "ListPipelineExecutions": ServiceRefusal("ResourceNotFound", "no such pipeline"),
            "DescribePipeline": ServiceRefusal("ResourceNotFound", "no such pipeline"),
            "CreatePipeline": {"PipelineArn": PIPELINE},
            "StartPipelineExecution": {"PipelineExecutionArn": EXECUTION},
        }
    )
    assert launch(site(service), ORDER, RUN, identity()) == Launched(EXECUTION, "created")
    (request,) = service.sent("StartPipelineExecution")
    assert request["ClientRequestToken"] == identity().token
    assert request["PipelineExecutionDisplayName"] == identity().name


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    opened = session(tmp_path / "root")
    yield Site(opened, 0.01, stops_on_interrupt=True)
    opened.close()


def test_a_late_retry_of_an_old_commit_leaves_the_newer_pipeline_alone(local: Site) -> None:
    old, new = run_of(FIRST), run_of(SECOND)
    order = PipelineOrder("gate", FIRST, ROLE)
    first = launch(local, order, old, identity(old))
    second = launch(local, replace(order, definition=SECOND), new, identity(new, commit="f" * 40))
    assert (first.change, second.change) == ("created", "updated")
    assert launch(local, order, old, identity(old)) == Launched(first.arn, "attached")
    assert local.client.describe_pipeline(PipelineName="gate")["PipelineDefinition"] == SECOND
    assert len(local.client.list_pipeline_executions(PipelineName="gate")["PipelineExecutionSummaries"]) == 2


def test_without_an_identity_each_launch_is_a_run_of_its_own(local: Site) -> None:
    order, run = PipelineOrder("gate", FIRST, ROLE), run_of(FIRST)
    assert launch(local, order, run).arn != launch(local, order, run).arn
