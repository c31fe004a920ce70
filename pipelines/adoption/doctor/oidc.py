"""GitHub's identity provider, which the workflows' roles trust."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject
from pipelines.adoption.installation.installer import OIDC_PROVIDER
from pipelines.adoption.oidc import HOST, find_provider

NAME = "identity provider"
AUDIENCE = "sts.amazonaws.com"


def check_provider(subject: Subject) -> Iterator[Finding]:
    """Look for the provider and its audience."""
    client = subject.account.client("iam")
    arn = find_provider(subject.account)
    if arn is None:
        yield problem(
            NAME,
            f"the account has none of {HOST}",
            f"aws iam create-open-id-connect-provider --url https://{HOST} --client-id-list {AUDIENCE}",
        )
    elif AUDIENCE not in client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]:
        yield problem(
            NAME,
            f"{arn} is for other audiences than {AUDIENCE}",
            "aws iam add-client-id-to-open-id-connect-provider "
            f"--open-id-connect-provider-arn {arn} --client-id {AUDIENCE}",
        )
    else:
        yield ok(NAME, f"there already: the project's {OIDC_PROVIDER} is {arn}")
