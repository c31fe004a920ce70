"""The installation, change by change: each is looked for only when those before it are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.adoption.account import Account
from pipelines.adoption.installation import catalog, published
from pipelines.adoption.installation.domain import LOCATION_TAG, Domain
from pipelines.adoption.installation.instructions import ASKED, by_product, by_template
from pipelines.adoption.installation.order import Change, Order
from pipelines.adoption.installation.stack import Stack, create, declared_parameters, find_stack, update
from pipelines.delivery.attention import Attention
from pipelines.delivery.errors import DeliveryError

ROLES, PRODUCT_URL, PRODUCT_VERSION = "ExecutionRoleArns", "ProductTemplateUrl", "ProductVersion"
BUCKET_OUTPUT, LAUNCH_ROLE_OUTPUT, PRODUCT_OUTPUT = "TemplateBucket", "LaunchRoleArn", "ProductId"
BOUNDARY_OUTPUT = "PermissionsBoundaryArn"
# Stands for a bucket that is not made yet.
NOT_YET = "BUCKET"


def changes(account: Account, order: Order, attention: Attention) -> Iterator[Change]:
    """Yield what is to be changed; whoever only reads it and makes nothing changes nothing."""
    check_location(account, order)
    yield from _stack(account, order, attention, {ROLES: ",".join(order.roles)})
    bucket = bucket_of(account, order.stack)
    if bucket is None or not published.is_current(account, bucket, order.source):
        yield Change(
            f"upload {order.source.path.name} to s3://{bucket or NOT_YET}/{published.KEY}",
            lambda: published.publish(account, made_bucket(account, order.stack), order.source),
        )
    if order.service_catalog:
        yield from _product(account, order, attention)
    elif order.domain:
        yield from _location(account, order.stack, order.domain)


def bucket_of(account: Account, stack: str) -> str | None:
    """Return the bucket of the stack; none where the stack is not made."""
    found = find_stack(account.client("cloudformation"), stack)
    return found.outputs.get(BUCKET_OUTPUT) if found else None


def made_bucket(account: Account, stack: str) -> str:
    """Return the bucket of the stack, which is made."""
    bucket = bucket_of(account, stack)
    if bucket is None:
        raise DeliveryError(f"the stack {stack} has no output {BUCKET_OUTPUT}: its template is not this repository's")
    return bucket


def project_request(account: Account, order: Order, oidc_provider: str | None) -> dict[str, Any]:
    """Return the request that makes a project of what is installed."""
    stack = find_stack(account.client("cloudformation"), order.stack)
    outputs = stack.outputs if stack else {}
    known = {"GitHubOidcProviderArn": oidc_provider, "PermissionsBoundaryArn": outputs.get(BOUNDARY_OUTPUT)}
    parameters = ASKED | {name: arn for name, arn in known.items() if arn}
    if order.service_catalog:
        product = outputs[PRODUCT_OUTPUT]
        return by_product(product, catalog.versions(account, product)[order.source.version], parameters)
    address = published.url(account, outputs[BUCKET_OUTPUT])
    return by_template(address, outputs[LAUNCH_ROLE_OUTPUT], parameters)


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


def _stack(
    account: Account, order: Order, attention: Attention, wanted: Mapping[str, str], says: str | None = None
) -> Iterator[Change]:
    """Yield what makes the stack as it is wished; parameters that are not named stay as they are."""
    client, template = account.client("cloudformation"), order.source.installer
    declared, stack = declared_parameters(client, template), find_stack(client, order.stack)
    known = stack.parameters if stack else {}
    parameters = {name: text for name, text in {**known, **wanted}.items() if name in declared}
    if stack is None:
        trusted = ", ".join(order.roles)
        yield Change(
            f"make the stack {order.stack}: template bucket and launch role, for {trusted}",
            lambda: create(client, order.stack, template, parameters, attention),
        )
        return
    stack.check_usable()
    if differences := _differences(stack, template, parameters):
        text = says or f"update the stack {order.stack}: {', '.join(differences)}"
        yield Change(text, lambda: update(client, stack, template, parameters, attention))


def _differences(stack: Stack, template: str, parameters: Mapping[str, str]) -> list[str]:
    changed = [] if stack.template == template else ["its template"]
    names = sorted(parameters.keys() | stack.parameters.keys())
    was = {name: stack.parameters.get(name, "") for name in names}
    return changed + [
        f"{name} from '{was[name]}' to '{parameters.get(name, '')}'"
        for name in names
        if name in parameters and parameters[name] != was[name]
    ]


def _product(account: Account, order: Order, attention: Attention) -> Iterator[Change]:
    stack = find_stack(account.client("cloudformation"), order.stack)
    product = stack.outputs.get(PRODUCT_OUTPUT) if stack else None
    if stack is None or not stack.parameters.get(PRODUCT_URL):
        yield Change(
            f"add the product with version {order.source.version} to the stack {order.stack}",
            lambda: _make_product(account, order, attention),
        )
    elif product and order.source.version not in catalog.versions(account, product):
        address = published.url(account, made_bucket(account, order.stack))
        yield Change(
            f"add version {order.source.version} to the product {product}",
            lambda: catalog.add_version(account, product, order.source.version, address),
        )


def _make_product(account: Account, order: Order, attention: Attention) -> None:
    address = published.url(account, made_bucket(account, order.stack))
    wanted = {PRODUCT_URL: address, PRODUCT_VERSION: order.source.version}
    for change in _stack(account, order, attention, wanted):
        change.make()


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
