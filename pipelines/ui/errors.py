"""Errors of the service as a page says them."""

from botocore.exceptions import ClientError

from pipelines.delivery.aws_errors import explain

ADVICE = ". Next: "


def told(error: ClientError) -> str:
    """Return what went wrong, and what to do; not what only a command can be told to do."""
    text = explain(error) or str(error)
    what, _, advice = text.rpartition(ADVICE)
    return what if "--" in advice or "run the same command" in advice else text
