"""IAM, as far as the SDK asks it about the roles that it is given: here every role exists and may do everything."""

import json
from urllib.parse import quote

from pipelines.local.api.query import Form, answer_query
from pipelines.local.api.wire import Request, Response
from pipelines.local.api.xml_text import Members

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
SINCE = "2017-11-29T00:00:00Z"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


class Iam:
    """The roles of this machine, none of which is kept: SageMaker may assume each."""

    def __init__(self, account: str) -> None:
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request of the query protocol."""
        actions = {"GetRole": self._get_role, "SimulatePrincipalPolicy": _simulate_principal_policy}
        return answer_query(request, service="iam", namespace=NAMESPACE, actions=actions)

    def _get_role(self, form: Form) -> Members:
        name = form["RoleName"]
        role = {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROALOCAL",
            "Arn": f"arn:aws:iam::{self._account}:role/{name}",
            "CreateDate": SINCE,
            "AssumeRolePolicyDocument": quote(json.dumps(TRUST)),
        }
        return {"Role": role}


def _simulate_principal_policy(form: Form) -> Members:
    asked = [value for name, value in form.items() if name.startswith("ActionNames.member.")]
    resource = form.get("ResourceArns.member.1", "*")
    results = [{"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"} for action in asked]
    return {"EvaluationResults": {"member": results}, "IsTruncated": False}
