"""STS, as far as clients ask it who they are."""

from urllib.parse import parse_qsl

from pipelines.local.api.wire import Request, Response, request_id, unanswered
from pipelines.local.api.xml_text import Members, write_xml
from pipelines.local.errors import ServiceError

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROLE = "sagemaker-local"


class Sts:
    """The identity of everybody on this machine: a session of one role in one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request of the query protocol."""
        action = dict(parse_qsl(request.content().decode())).get("Action", "")
        try:
            if action != "GetCallerIdentity":
                raise unanswered("sts", action)
            return _response(200, "GetCallerIdentityResponse", self._get_caller_identity())
        except ServiceError as error:
            members = {"Type": "Sender", "Code": error.code, "Message": error.message}
            return _response(error.status, "ErrorResponse", {"Error": members, "RequestId": request_id()})

    def _get_caller_identity(self) -> Members:
        identity = {
            "Arn": f"arn:aws:sts::{self._account}:assumed-role/{ROLE}/local",
            "UserId": f"AROALOCAL:{ROLE}",
            "Account": self._account,
        }
        return {"GetCallerIdentityResult": identity, "ResponseMetadata": {"RequestId": request_id()}}


def _response(status: int, name: str, members: Members) -> Response:
    return Response(status, {"content-type": "text/xml"}, write_xml(name, members, NAMESPACE))
