"""The Studio domain and what is installed for it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject
from pipelines.adoption.installation import catalog, published
from pipelines.adoption.installation.domain import LOCATION_TAG


def check_domain(subject: Subject) -> Iterator[Finding]:
    """Look for the domain, and where it looks for templates unless they are products."""
    region, domain = subject.account.region, subject.domain
    if domain is None:
        yield problem(
            "Studio domain",
            f"{region} has none: projects can be made by the command line only",
            "AWS_DEFAULT_REGION=REGION project-template doctor  # where the domain is",
        )
        return
    yield ok("Studio domain", f"{domain.id}, whose users have the role {domain.role or 'of their profiles'}")
    if subject.product is None:
        yield _location(subject, domain.arn, domain.location)


def check_stack(subject: Subject) -> Iterator[Finding]:
    """Look for the stack of the installation."""
    stack, name = subject.stack, subject.stack_name
    if stack is None:
        yield problem("stack", f"{subject.account.region} has no stack {name}", subject.install)
    elif stack.is_dead:
        yield problem("stack", f"{name} is {stack.status}", subject.uninstall, subject.install)
    elif stack.status.endswith(("_IN_PROGRESS", "_FAILED")):
        yield problem(
            "stack", f"{name} is {stack.status}", f"aws cloudformation describe-stack-events --stack-name {name}"
        )
    elif stack.template != subject.source.installer:
        yield problem("stack", f"{name} was made of another install.yml", subject.install)
    else:
        yield ok("stack", f"{name} is {stack.status}")


def check_product(subject: Subject) -> Iterator[Finding]:
    """Look for this template among the versions of the product, where there is a product."""
    if subject.product is None:
        return
    version = subject.source.version
    if version in catalog.versions(subject.account, subject.product):
        yield ok("product", f"{subject.product} has version {version}")
    else:
        yield problem(
            "product",
            f"{subject.product} has no version {version}, the template of this checkout",
            f"{subject.install} --service-catalog",
        )


def _location(subject: Subject, arn: str, found: str | None) -> Finding:
    wanted = published.location(subject.bucket)
    if found == wanted:
        return ok("domain tag", f"{LOCATION_TAG}={wanted}")
    return problem(
        "domain tag",
        f"{LOCATION_TAG} is {found or 'missing'}: Studio does not look at {wanted}",
        f"aws sagemaker add-tags --resource-arn {arn} --tags Key={LOCATION_TAG},Value={wanted}",
    )
