"""What the SDK asks IAM about its roles."""

import pytest
from botocore.exceptions import ClientError

from pipelines.local.boto_session import LocalSession


def test_every_role_exists_and_trusts_sagemaker(local_session: LocalSession) -> None:
    role = local_session.client("iam").get_role(RoleName="anything")["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/anything"
    statement = role["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_every_role_may_do_what_is_asked(local_session: LocalSession) -> None:
    pages = (
        local_session.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn="arn:aws:iam::000000000000:role/anything",
            ActionNames=["s3:GetObject", "s3:PutObject"],
            ResourceArns=["arn:aws:s3:::bucket/*"],
        )
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    assert [(result["EvalActionName"], result["EvalDecision"]) for result in results] == [
        ("s3:GetObject", "allowed"),
        ("s3:PutObject", "allowed"),
    ]


def test_roles_are_not_made_here(local_session: LocalSession) -> None:
    with pytest.raises(ClientError, match="this machine does not answer iam:CreateRole"):
        local_session.client("iam").create_role(RoleName="new", AssumeRolePolicyDocument="{}")
