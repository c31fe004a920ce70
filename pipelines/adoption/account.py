"""The AWS account and region that a command works in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import NoRegionError

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
        NoRegionError: the session has none; STS alone would do without.
    """
    if not session.region_name:
        raise NoRegionError
    identity = session.client("sts").get_caller_identity()
    return Account(session, identity["Account"], identity["Arn"])
