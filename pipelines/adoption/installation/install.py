"""The installation, change by change: each is looked for only when those before it are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from pipelines.adoption.account import Account
from pipelines.adoption.installation import catalog, published
from pipelines.adoption.installation.domain import LOCATION_TAG, Domain
from pipelines.adoption.installation.installer import (
    BOUNDARY,
    BUCKET,
    IDENTITY_PROVIDER,
    LAUNCH_ROLE,
    OIDC_PROVIDER,
    PRODUCT,
    PRODUCT_URL,
    PRODUCT_VERSION,
    STUDIO_ROLE_NAMES,
    STUDIO_ROLES,
)
from pipelines.adoption.installation.instructions import ASKED, by_product, by_template
from pipelines.adoption.installation.order import Change, Order
from pipelines.adoption.installation.stack import Stack, create, declared_parameters, find_stack, update
from pipelines.adoption.oidc import find_provider
from pipelines.delivery.errors import DeliveryError

# Stands for a bucket that is not made yet.
NOT_YET = "BUCKET"


def changes(account: Account, order: Order) -> Iterator[Change]:
    """Yield what is to be changed; whoever only reads it and makes nothing changes nothing.

    Raises:
        DeliveryError: the stack cannot be changed, a role is not there, or the domain shows other templates.
    """
    check_roles(account, order)
    check_location(account, order)
    yield from _stack(account, order)
    bucket = bucket_of(account, order.stack)
    if bucket is None or not published.is_current(account, bucket, order.source):
        yield Change(
            f"upload {order.source.path.name} to s3://{bucket or NOT_YET}/{published.KEY}",
            lambda: published.publish(account, made_bucket(account, order.stack), order.source),
        )
    if order.service_catalog:
        yield from _product(account, order)
    elif order.domain:
        yield from _location(account, order.stack, order.domain)


def project_request(account: Account, order: Order) -> dict[str, Any]:
    """Return the request that makes a project of what is installed."""
    stack = find_stack(account.client("cloudformation"), order.stack)
    outputs = stack.outputs if stack else {}
    known = {OIDC_PROVIDER: outputs.get(OIDC_PROVIDER), BOUNDARY: outputs.get(BOUNDARY)}
    parameters = ASKED | {name: arn for name, arn in known.items() if arn}
    if order.service_catalog:
        product = outputs[PRODUCT]
        return by_product(product, catalog.versions(account, product)[order.source.version], parameters)
    address = published.url(account, outputs[BUCKET])
    return by_template(address, outputs[LAUNCH_ROLE], parameters)


def check_roles(account: Account, order: Order) -> None:
    """Refuse roles that IAM does not know, for a stack that trusts them cannot be made."""
    for role in order.roles:
        if role.split(":")[4] != account.number or not _exists(account, role):
            raise DeliveryError(
                f"account {account.number} has no role {role}. Next: correct --execution-role, or the domain's role"
            )


def check_location(account: Account, order: Order) -> None:
    """Refuse a domain that shows the templates of another place, for it can have one only."""
    domain = order.domain
    if order.service_catalog or domain is None or domain.location is None:
        return
    bucket = bucket_of(account, order.stack)
    if bucket is None or domain.location != published.location(bucket):
        raise DeliveryError(
            f"the domain {domain.id} shows the templates of {domain.location}, and it can have one place only. "
            "Next: use --service-catalog, or take the other place away: "
            f"aws sagemaker delete-tags --resource-arn {domain.arn} --tag-keys {LOCATION_TAG}"
        )


def bucket_of(account: Account, stack: str) -> str | None:
    """Return the bucket of the stack; none where the stack is not made."""
    found = find_stack(account.client("cloudformation"), stack)
    return found.outputs.get(BUCKET) if found else None


def made_bucket(account: Account, stack: str) -> str:
    """Return the bucket of the stack, which is made."""
    bucket = bucket_of(account, stack)
    if bucket is None:
        raise DeliveryError(f"the stack {stack} has no output {BUCKET}: its template is not this repository's")
    return bucket


def _stack(account: Account, order: Order) -> Iterator[Change]:
    """Yield what makes the stack as it is wished; parameters that are not named stay as they are."""
    stack = find_stack(account.client("cloudformation"), order.stack)
    roles = dict.fromkeys((*(_roles_kept(account, stack) if stack else ()), *order.roles))
    names = [role.rpartition("/")[2] for role in roles]
    wanted = {STUDIO_ROLES: ",".join(roles), STUDIO_ROLE_NAMES: ",".join(names)}
    if stack is None:
        # Asked once: what the stack made must not look as if it had been there before.
        provider = {IDENTITY_PROVIDER: "exists" if find_provider(account) else "create"}
        yield _new_stack(account, order, {**wanted, **provider})
    else:
        stack.check_usable()
        yield from _update(account, order, stack, wanted)


def _roles_kept(account: Account, stack: Stack) -> list[str]:
    """Return the roles of earlier installations, of other domains too; IAM refuses to trust one that is gone."""
    return [role for role in stack.parameters.get(STUDIO_ROLES, "").split(",") if role and _exists(account, role)]


def _exists(account: Account, role: str) -> bool:
    try:
        found = account.client("iam").get_role(RoleName=role.rpartition("/")[2])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return False
        raise
    # Another path makes another role.
    return bool(found["Role"]["Arn"] == role)


def _new_stack(account: Account, order: Order, parameters: Mapping[str, str]) -> Change:
    client, template = account.client("cloudformation"), order.source.installer
    declared = declared_parameters(client, template)
    provider = " and GitHub's identity provider" if parameters[IDENTITY_PROVIDER] == "create" else ""
    return Change(
        f"make the stack {order.stack}: template bucket, launch role, a policy for {parameters[STUDIO_ROLE_NAMES]}"
        f"{provider}",
        lambda: create(client, order.stack, template, _only(declared, parameters)),
    )


def _update(account: Account, order: Order, stack: Stack, wanted: Mapping[str, str]) -> Iterator[Change]:
    client, template = account.client("cloudformation"), order.source.installer
    parameters = _only(declared_parameters(client, template), {**stack.parameters, **wanted})
    if differences := _differences(stack, template, parameters):
        yield Change(
            f"update the stack {order.stack}: {', '.join(differences)}",
            lambda: update(client, stack, template, parameters),
        )


def _differences(stack: Stack, template: str, parameters: Mapping[str, str]) -> list[str]:
    changed = [] if stack.template == template else ["its template"]
    return changed + [
        f"{name} from '{stack.parameters.get(name, '')}' to '{text}'"
        for name, text in sorted(parameters.items())
        if stack.parameters.get(name, "") != text
    ]


def _only(names: set[str], parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if name in names}


def _product(account: Account, order: Order) -> Iterator[Change]:
    stack, version = find_stack(account.client("cloudformation"), order.stack), order.source.version
    product = stack.outputs.get(PRODUCT) if stack else None
    if product is None:
        yield Change(
            f"add a product of Service Catalog, with version {version}, to the stack {order.stack}",
            lambda: _make_product(account, order),
        )
    elif version not in catalog.versions(account, product):
        yield Change(
            f"add version {version} to the product {product}",
            lambda: catalog.add_version(account, product, version, _address(account, order)),
        )


def _make_product(account: Account, order: Order) -> None:
    stack = find_stack(account.client("cloudformation"), order.stack)
    wanted = {PRODUCT_URL: _address(account, order), PRODUCT_VERSION: order.source.version}
    if stack:
        for change in _update(account, order, stack, wanted):
            change.make()


def _address(account: Account, order: Order) -> str:
    return published.url(account, made_bucket(account, order.stack))


def _location(account: Account, stack: str, domain: Domain) -> Iterator[Change]:
    bucket = bucket_of(account, stack)
    if bucket is None or domain.location != published.location(bucket):
        yield Change(
            f"let the domain {domain.id} show the templates of {published.location(bucket or NOT_YET)}",
            lambda: _tag(account, domain, published.location(made_bucket(account, stack))),
        )


def _tag(account: Account, domain: Domain, place: str) -> None:
    tags = [{"Key": LOCATION_TAG, "Value": place}]
    account.client("sagemaker").add_tags(ResourceArn=domain.arn, Tags=tags)
