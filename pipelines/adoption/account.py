"""The AWS account and region that a command works in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pipelines.delivery.aws_errors import explain
from pipelines.delivery.errors import DeliveryError, UsageError

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class Account:
    """An account as its caller sees it, and the clients of its services, made once each."""

    session: boto3.Session
    number: str
    caller: str
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def region(self) -> str:
        """The region of all that is asked."""
        return str(self.session.region_name)

    @property
    def partition(self) -> str:
        """The partition, `aws` but in China and for governments."""
        return self.caller.split(":")[1]

    @property
    def domain_name(self) -> str:
        """The end of the names of the partition's hosts."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            session: Any = self.session
            self._clients[service] = session.client(service)
        return self._clients[service]


def open_account(session: boto3.Session) -> Account:
    """Return the account of the session's credentials, by STS.

    Raises:
        UsageError: the session has no region; STS alone would do without.
        DeliveryError: nobody knows who calls.
    """
    if not session.region_name:
        raise UsageError("no region is set. Next: set AWS_DEFAULT_REGION")
    try:
        identity = session.client("sts").get_caller_identity()
    except ResponseParserError as error:
        said = " ".join(str(error).split())
        raise DeliveryError(f"{said}. Next: check the network: something answers in the place of AWS") from error
    except (BotoCoreError, ClientError) as error:
        # Adopting is about AWS; there is nothing to try on this machine instead.
        raise DeliveryError((explain(error) or str(error)).removesuffix(", or run with --local")) from error
    return Account(session, identity["Account"], identity["Arn"])
