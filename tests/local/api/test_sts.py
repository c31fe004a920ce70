"""STS: who everybody on this machine is."""

import re

import boto3
import pytest

from pipelines.local.boto_session import LocalSession
from pipelines.local.services import ACCOUNT
from tests.local.api.conftest import error_code


def test_the_caller_has_an_identity(any_session: boto3.Session) -> None:
    identity = any_session.client("sts").get_caller_identity()
    assert re.fullmatch(r"\d{12}", identity["Account"])
    assert re.match(rf"arn:aws:sts::{identity['Account']}:", identity["Arn"])
    assert identity["UserId"]


def test_the_caller_has_this_machines_account_and_a_role(local_session: LocalSession) -> None:
    identity = local_session.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/sagemaker-local/local"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_other_operations_are_not_answered(local_session: LocalSession, region: str) -> None:
    client = local_session.client("sts", region_name=region)
    assert error_code(client.get_session_token) == ("NotImplemented", 501)
