"""The way out: what the installation made is taken away, in the reverse order."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption import contents
from pipelines.adoption.account import Account
from pipelines.adoption.installation import published
from pipelines.adoption.installation.domain import LOCATION_TAG, Domain, all_domains
from pipelines.adoption.installation.installer import BUCKET, LAUNCH_ROLE, PRODUCT
from pipelines.adoption.installation.order import Change
from pipelines.adoption.installation.projects import projects_of
from pipelines.adoption.installation.stack import Stack, delete
from pipelines.delivery.errors import DeliveryError


def changes(account: Account, stack: Stack, *, deletes_objects: bool) -> Iterator[Change]:
    """Yield what is to be taken away.

    Raises:
        DeliveryError: projects need the launch role, or the bucket holds what others put there.
    """
    _check_unused(account, stack)
    bucket = stack.outputs.get(BUCKET)
    if bucket and not deletes_objects:
        _check_own(account, bucket)
    if bucket:
        place = published.location(bucket)
        yield from (_untag(account, each, place) for each in all_domains(account) if each.location == place)
    if bucket and (keys := _keys(account, bucket)):
        yield Change(
            f"delete all versions of {', '.join(sorted(keys))} in s3://{bucket}",
            lambda: contents.delete_all(account, bucket),
        )
    # Last, for it is the stack that knows of the rest.
    client = account.client("cloudformation")
    yield Change(f"delete the stack {stack.name} with all that it made", lambda: delete(client, stack))


def _untag(account: Account, domain: Domain, place: str) -> Change:
    return Change(
        f"let the domain {domain.id} show the templates of {place} no more",
        lambda: account.client("sagemaker").delete_tags(ResourceArn=domain.arn, TagKeys=[LOCATION_TAG]),
    )


def _check_unused(account: Account, stack: Stack) -> None:
    role, product = stack.outputs.get(LAUNCH_ROLE), stack.outputs.get(PRODUCT)
    if names := projects_of(account, role, product):
        raise DeliveryError(
            f"the launch role is needed to delete the projects {', '.join(names)}. "
            f"Next: aws sagemaker delete-project --project-name {names[0]}, and so on, then the same command"
        )


def _check_own(account: Account, bucket: str) -> None:
    if others := sorted(_keys(account, bucket) - {published.KEY}):
        raise DeliveryError(
            f"s3://{bucket} holds {len(others)} objects that project-template did not put there, such as {others[0]}. "
            "Next: move them away, or add --delete-objects"
        )


def _keys(account: Account, bucket: str) -> set[str]:
    return {version["Key"] for version in contents.versions(account, bucket)}
