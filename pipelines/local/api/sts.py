"""STS, as far as clients ask it who they are."""

import os
import pwd
import re

from pipelines.local.api.query import Form, answer_query
from pipelines.local.api.wire import Request, Response
from pipelines.local.api.xml_text import Members

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROLE = "sagemaker-local"
LONGEST_SESSION = 64
_UNSAFE = re.compile(r"[^\w+=,.@-]", re.ASCII)


class Sts:
    """The identity of everybody on this machine: a session of one role in one account, with the user's name."""

    def __init__(self, account: str) -> None:
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request of the query protocol."""
        actions = {"GetCallerIdentity": self._get_caller_identity}
        return answer_query(request, service="sts", namespace=NAMESPACE, actions=actions)

    def _get_caller_identity(self, _form: Form) -> Members:
        session = session_name(_user())
        # A role's and not a user's: the SDK takes the execution role from it.
        return {
            "Arn": f"arn:aws:sts::{self._account}:assumed-role/{ROLE}/{session}",
            "UserId": f"AROALOCAL:{session}",
            "Account": self._account,
        }


def session_name(user: str) -> str:
    """Return a user's name in the letters that a role's session may have."""
    return _UNSAFE.sub("_", user)[:LONGEST_SESSION] or "local"


def _user() -> str:
    """Return the name of whoever runs this process; not by the environment, which says what one likes."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
