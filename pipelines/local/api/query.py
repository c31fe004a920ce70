"""The query protocol of STS and IAM: a form in, XML out."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from pipelines.local.api.wire import Request, Response, request_id, unanswered
from pipelines.local.api.xml_text import Members, write_xml
from pipelines.local.errors import ServiceError

Form = Mapping[str, str]
Actions = Mapping[str, Callable[[Form], Members]]


def answer_query(request: Request, *, service: str, namespace: str, actions: Actions) -> Response:
    """Answer a request by one of the actions, each of which takes the form and returns the members of its result."""
    try:
        form = _Form(parse_qsl(request.content().decode(errors="replace")))
        action = form.get("Action", "")
        if action not in actions:
            raise unanswered(service, action)
        result = {f"{action}Result": actions[action](form), "ResponseMetadata": {"RequestId": request_id()}}
        return _response(200, f"{action}Response", result, namespace)
    except ServiceError as error:
        members = {"Type": "Sender", "Code": error.code, "Message": error.message}
        return _response(error.status, "ErrorResponse", {"Error": members, "RequestId": request_id()}, namespace)


class _Form(dict[str, str]):
    """A form; a parameter that it must have and has not is the client's mistake."""

    def __missing__(self, name: str) -> str:
        raise ServiceError("MissingParameter", f"the request must contain the parameter {name}")


def _response(status: int, name: str, members: Members, namespace: str) -> Response:
    return Response(status, {"content-type": "text/xml"}, write_xml(name, members, namespace))
