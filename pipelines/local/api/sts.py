"""STS, as far as clients ask it who they are."""

from pipelines.local.api.query import Form, answer_query
from pipelines.local.api.wire import Request, Response
from pipelines.local.api.xml_text import Members

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROLE = "sagemaker-local"


class Sts:
    """The identity of everybody on this machine: a session of one role in one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request of the query protocol."""
        actions = {"GetCallerIdentity": self._get_caller_identity}
        return answer_query(request, service="sts", namespace=NAMESPACE, actions=actions)

    def _get_caller_identity(self, _form: Form) -> Members:
        return {
            "Arn": f"arn:aws:sts::{self._account}:assumed-role/{ROLE}/local",
            "UserId": f"AROALOCAL:{ROLE}",
            "Account": self._account,
        }
