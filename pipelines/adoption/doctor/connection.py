"""The connection to GitHub that CodeBuild reads the repository by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.adoption.account import Account
from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject

NAME = "connection"
AUTHORISED = "AVAILABLE"


def check_connection(subject: Subject) -> Iterator[Finding]:
    """Look whether a person has authorised the connection, or any where none is named."""
    account = subject.account
    found = _found(account, subject.connection)
    if not found:
        yield problem(
            NAME,
            f"{account.region} has no connection to GitHub",
            "aws codeconnections create-connection --provider-type GitHub --connection-name github",
            f"authorise it: {_console(account)}",
        )
    elif authorised := [each for each in found if each["ConnectionStatus"] == AUTHORISED]:
        arns = ", ".join(each["ConnectionArn"] for each in authorised)
        yield ok(NAME, f"the project's ConnectionArn is {arns}")
    else:
        states = ", ".join(f"{each['ConnectionArn']} is {each['ConnectionStatus']}" for each in found)
        yield problem(NAME, f"{states}: nobody has authorised it", f"update the connection: {_console(account)}")


def _found(account: Account, arn: str | None) -> list[dict[str, Any]]:
    client = account.client("codeconnections")
    if arn:
        return [client.get_connection(ConnectionArn=arn)["Connection"]]
    found, token = [], None
    while True:
        page = client.list_connections(ProviderTypeFilter="GitHub", **({"NextToken": token} if token else {}))
        found += page["Connections"]
        token = page.get("NextToken")
        if not token:
            return found


def _console(account: Account) -> str:
    ends = {"aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}
    host = f"{account.region}.console.{ends.get(account.partition, 'aws.amazon.com')}"
    return f"https://{host}/codesuite/settings/connections"
