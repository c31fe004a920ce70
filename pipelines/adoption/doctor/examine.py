"""The examination: every check, in the order in which a set-up is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.adoption.account import Account, open_account
from pipelines.adoption.doctor.bucket import check_bucket, check_template
from pipelines.adoption.doctor.connection import check_connection
from pipelines.adoption.doctor.finding import UNREADABLE, Finding, ok, problem, unknown, unreadable
from pipelines.adoption.doctor.github import check_environments
from pipelines.adoption.doctor.oidc import check_provider
from pipelines.adoption.doctor.quotas import check_quotas
from pipelines.adoption.doctor.roles import check_permissions, check_trust
from pipelines.adoption.doctor.studio import check_domain, check_product, check_stack
from pipelines.adoption.doctor.subject import NotThereError, Subject
from pipelines.delivery.aws_errors import explain
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.settings import Settings

if TYPE_CHECKING:
    import boto3

CREDENTIALS = "credentials"
Check = Callable[[Subject], Iterator[Finding]]

OF_ALL: dict[str, Check] = {
    "stack": check_stack,
    "Studio domain": check_domain,
    "template bucket": check_bucket,
    "template": check_template,
    "product": check_product,
    "launch role": check_trust,
    "permissions": check_permissions,
    "quotas": check_quotas,
}
OF_GITHUB: dict[str, Check] = {"identity provider": check_provider, "environments": check_environments}
OF_CODEBUILD: dict[str, Check] = {"connection": check_connection}


def examine(subject: Subject) -> Iterator[Finding]:
    """Yield what each check finds; what AWS does not let it see is never called well."""
    yield _credentials(subject.account, subject.settings)
    for name, check in (OF_ALL | (OF_GITHUB if subject.github else OF_CODEBUILD)).items():
        try:
            yield from check(subject)
        except (NotThereError, UsageError) as error:
            yield unknown(name, str(error))
        except (ClientError, BotoCoreError) as error:
            yield unknown(name, explain(error) or str(error))
        except UNREADABLE as error:
            yield unknown(name, unreadable(error))


def without_account(session: boto3.Session) -> list[Finding]:
    """Return what is wrong with the credentials or the region of a session; nothing where AWS knows who calls."""
    try:
        open_account(session)
    except DeliveryError as error:
        says, _, advice = str(error).partition(". Next: ")
        return [problem(CREDENTIALS, says, advice)]
    return []


def _credentials(account: Account, settings: Settings) -> Finding:
    if settings.region not in {None, account.region}:
        return problem(
            CREDENTIALS,
            f"the region is {account.region}, and settings.json says {settings.region}",
            f"export AWS_DEFAULT_REGION={settings.region}",
        )
    return ok(CREDENTIALS, f"{account.caller} in {account.region}")
