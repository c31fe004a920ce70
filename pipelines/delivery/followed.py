"""An execution that another command started, as this one needs it to follow it: checked, with definition and values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.delivery.definition import Run, parse_definition
from pipelines.delivery.errors import UsageError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sagemaker import SageMakerClient

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):pipeline/[^/\s]+/execution/[a-z0-9]+"
)


def check_arn(arn: str) -> None:
    """Refuse what is no execution's ARN."""
    if not _ARN.fullmatch(arn):
        raise UsageError(
            f"--follow {arn} is no execution's ARN: expected "
            "arn:aws:sagemaker:<region>:<account>:pipeline/<name>/execution/<id>"
        )


def check_owner(arn: str, session: boto3.Session) -> None:
    """Refuse an execution of another account or region, which the service would not find."""
    match = _ARN.fullmatch(arn)
    assert match
    if match["region"] != session.region_name:
        raise UsageError(
            f"--follow {arn} is in {match['region']} and this session in {session.region_name}: "
            f"set AWS_DEFAULT_REGION={match['region']}"
        )
    account = session.client("sts").get_caller_identity()["Account"]
    if match["account"] != account:
        raise UsageError(
            f"--follow {arn} is of account {match['account']} and these credentials of {account}: "
            "use credentials of the execution's account"
        )


def read_run(client: SageMakerClient, arn: str) -> Run:
    """Return the definition that an execution runs and the values that it was started with."""
    text = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    pages = client.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    values = {entry["Name"]: entry["Value"] for page in pages for entry in page["PipelineParameters"]}
    return Run(parse_definition(text, f"the definition of {arn}"), values)
