"""STS: who everybody on this machine is."""

import os
import pwd
import re

import boto3
import pytest

from pipelines.local.api.sts import session_name
from pipelines.local.boto_session import LocalSession
from pipelines.local.services import ACCOUNT
from tests.local.api.conftest import error_code


def test_the_caller_has_an_identity(any_session: boto3.Session) -> None:
    identity = any_session.client("sts").get_caller_identity()
    assert re.fullmatch(r"\d{12}", identity["Account"])
    assert re.match(rf"arn:aws:sts::{identity['Account']}:", identity["Arn"])
    assert identity["UserId"]


def test_the_caller_has_this_machines_account_a_role_and_the_users_name(local_session: LocalSession) -> None:
    identity = local_session.client("sts").get_caller_identity()
    user = session_name(pwd.getpwuid(os.geteuid()).pw_name)
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/sagemaker-local/{user}"


def test_the_environment_does_not_say_who_the_caller_is(
    local_session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local_session.client("sts").get_caller_identity()["Arn"]
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert local_session.client("sts").get_caller_identity()["Arn"] == before


def test_a_user_without_a_name_is_a_number(local_session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    assert local_session.client("sts").get_caller_identity()["Arn"].endswith(f"/{2**31 - 7}")


@pytest.mark.parametrize(
    ("user", "session"),
    [
        ("ada.lovelace", "ada.lovelace"),
        ("CORP\\ada", "CORP_ada"),
        ("a/b c", "a_b_c"),
        ("아다", "__"),
        ("x" * 99, "x" * 64),
        ("", "local"),
    ],
)
def test_names_have_the_letters_of_a_roles_session(user: str, session: str) -> None:
    assert session_name(user) == session


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_other_operations_are_not_answered(local_session: LocalSession, region: str) -> None:
    client = local_session.client("sts", region_name=region)
    assert error_code(client.get_session_token) == ("NotImplemented", 501)
