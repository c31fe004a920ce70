"""Picking up an execution that another command started."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.attention import Attention
from pipelines.delivery.errors import UsageError
from pipelines.delivery.followed import check_arn, check_owner, read_run
from pipelines.delivery.pipeline import PipelineOrder
from pipelines.delivery.progress import Lines
from pipelines.delivery.run import Site, complete, launch
from pipelines.local.session import session
from tests.delivery.pipelines import TWO_BRANCHES
from tests.delivery.runs import run_of
from tests.delivery.scripted import EXECUTION, ROLE, Document, Script
from tests.local.documents import compare, condition, definition, fail, parameter

GATE = definition(
    condition("Gate", compare("Equals", {"Get": "Parameters.Level"}, 2), then=[fail("TooBad", "level 2 is too bad")]),
    parameters=[parameter("Level", "Integer", DefaultValue=1)],
)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    opened = session(tmp_path / "root", region="us-east-1")
    yield Site(opened, 0.01, stops_on_interrupt=True)
    opened.close()


def test_definition_and_values_are_those_that_the_execution_was_started_with(local: Site) -> None:
    run = run_of(GATE, Level="2")
    arn = launch(local, PipelineOrder("gate", GATE, ROLE), run).arn
    local.client.update_pipeline(PipelineName="gate", PipelineDefinition=definition(fail("Other")))
    check_arn(arn)
    check_owner(arn, local.session)
    found = read_run(local.client, arn)
    assert (found.definition.text, found.parameters) == (GATE, {"Level": "2"})
    result = complete(local, arn, found, Lines(io.StringIO()), Attention())
    assert (result.verdict.exit_code, result.verdict.reason) == (3, "level 2 is too bad")


def test_all_pages_of_the_parameters_are_read() -> None:
    pages: list[Document] = [
        {"PipelineParameters": [{"Name": "A", "Value": "1"}], "NextToken": "more"},
        {"PipelineParameters": [{"Name": "B", "Value": "2"}]},
    ]
    described: Document = {"PipelineDefinition": TWO_BRANCHES, "CreationTime": 1}
    service = Script({"DescribePipelineDefinitionForExecution": described, "ListPipelineParametersForExecution": pages})
    assert read_run(service.session.client("sagemaker"), EXECUTION).parameters == {"A": "1", "B": "2"}


def test_an_execution_that_is_not_there_is_the_services_to_tell(local: Site) -> None:
    with pytest.raises(ClientError, match="abcdefghijkl"):
        read_run(local.client, EXECUTION)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "abcdefghijkl",
        EXECUTION.rpartition("/execution/")[0],
        f"{EXECUTION}/step",
        EXECUTION.replace("sagemaker", "states"),
        f"{EXECUTION}\n",
        f" {EXECUTION}",
    ],
)
def test_what_is_no_executions_arn_is_refused(arn: str) -> None:
    with pytest.raises(UsageError, match="is no execution's ARN: expected arn:aws:sagemaker:<region>:<account>"):
        check_arn(arn)


def test_another_partitions_arn_is_one() -> None:
    check_arn(EXECUTION.replace("arn:aws:", "arn:aws-us-gov:").replace("us-east-1", "us-gov-west-1"))


def test_an_execution_of_another_region_or_account_says_which(local: Site) -> None:
    with pytest.raises(UsageError, match="is in eu-west-1 and this session in us-east-1: set AWS_DEFAULT_REGION=eu-w"):
        check_owner(EXECUTION.replace("us-east-1", "eu-west-1"), local.session)
    with pytest.raises(UsageError, match="is of account 111122223333 and these credentials of 000000000000: use cred"):
        check_owner(EXECUTION.replace("000000000000", "111122223333"), local.session)
