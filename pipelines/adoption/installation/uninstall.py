"""The way out: what the installation made is taken away, in the reverse order."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.account import Account
from pipelines.adoption.installation import contents, published
from pipelines.adoption.installation.domain import LOCATION_TAG, Domain
from pipelines.adoption.installation.install import BUCKET_OUTPUT, LAUNCH_ROLE_OUTPUT, PRODUCT_OUTPUT
from pipelines.adoption.installation.order import Change
from pipelines.adoption.installation.projects import projects_of
from pipelines.adoption.installation.stack import Stack, delete
from pipelines.delivery.attention import Attention
from pipelines.delivery.errors import DeliveryError


def changes(
    account: Account, stack: Stack, domain: Domain | None, attention: Attention, *, deletes_bucket: bool
) -> Iterator[Change]:
    """Yield what is to be taken away.

    Raises:
        DeliveryError: projects need the launch role, without which they cannot be deleted any more.
    """
    _check_unused(account, stack)
    bucket = stack.outputs.get(BUCKET_OUTPUT)
    if domain and bucket and domain.location == published.location(bucket):
        yield Change(
            f"take {domain.location} from the domain {domain.id}",
            lambda: account.client("sagemaker").delete_tags(ResourceArn=domain.arn, TagKeys=[LOCATION_TAG]),
        )
    if bucket and deletes_bucket:
        count = sum(map(len, contents.versions(account, bucket)))
        yield Change(
            f"delete the bucket {bucket} with the {count} versions of its objects",
            lambda: contents.delete_bucket(account, bucket),
        )
    # Last, for it is the stack that knows of the rest.
    client = account.client("cloudformation")
    yield Change(f"delete the stack {stack.name}", lambda: delete(client, stack, attention))


def _check_unused(account: Account, stack: Stack) -> None:
    role, product = stack.outputs.get(LAUNCH_ROLE_OUTPUT), stack.outputs.get(PRODUCT_OUTPUT)
    if names := projects_of(account, role, product):
        raise DeliveryError(
            f"the launch role is needed to delete the projects {', '.join(names)}. "
            f"Next: aws sagemaker delete-project --project-name {names[0]}, and so on, then the same command"
        )


def kept(stack: Stack) -> Iterator[str]:
    """Yield what stays, and how to delete it."""
    if bucket := stack.outputs.get(BUCKET_OUTPUT):
        yield f"kept: the bucket {bucket}; once empty, aws s3api delete-bucket --bucket {bucket} deletes it"
