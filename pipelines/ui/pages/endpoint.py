"""An endpoint: its state, what it serves, its logs, and the form that sends it a claim."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.delivery.deployment.found import found
from pipelines.delivery.deployment.serving import package_of
from pipelines.delivery.logs import read_endpoint_tails
from pipelines.ui.claims import FORMS, Answer, Sample, read_sample, send
from pipelines.ui.forms import action
from pipelines.ui.pages.endpoints import MOVING
from pipelines.ui.rendering import missing, render, site

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from pipelines.delivery.packages import ModelPackage
    from pipelines.delivery.run import Site

_VARIANT = re.compile(r"[a-zA-Z0-9-]*", re.ASCII)
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True)
class Variant:
    """A production variant: its part of the requests in percent, and what it runs on."""

    name: str
    share: float | None = None
    instances: int | None = None
    instance_type: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is now; while it is updated, pending is the config to come and phase how far it is."""

    name: str
    arn: str
    status: str
    config: str | None
    created: datetime
    modified: datetime
    variants: tuple[Variant, ...] = ()
    pending: str | None = None
    phase: str | None = None
    reason: str | None = None

    @property
    def is_moving(self) -> bool:
        """Whether the service is at work on it."""
        return self.status in MOVING

    @property
    def takes_claims(self) -> bool:
        """Whether it answers requests."""
        return self.status in SERVING


def read_endpoint(client: SageMakerClient, name: str) -> Endpoint | None:
    """Return an endpoint; none where there is none of that name."""
    described = found(client.describe_endpoint, EndpointName=name)
    if described is None:
        return None
    pending, config = described.get("PendingDeploymentSummary", {}), described.get("EndpointConfigName")
    statuses = (each for variant in pending.get("ProductionVariants", ()) for each in variant.get("VariantStatus", ()))
    return Endpoint(
        name=name,
        arn=described["EndpointArn"],
        status=described["EndpointStatus"],
        config=config,
        created=described["CreationTime"],
        modified=described["LastModifiedTime"],
        variants=tuple(_variants(client, described.get("ProductionVariants", ()), config)),
        pending=pending.get("EndpointConfigName"),
        phase=next((each["Status"] for each in statuses), None),
        reason=described.get("FailureReason"),
    )


def _variants(client: SageMakerClient, running: Any, config: str | None) -> Iterator[Variant]:
    described = found(client.describe_endpoint_config, EndpointConfigName=config) if config else None
    wanted = {each["VariantName"]: each for each in (described or {}).get("ProductionVariants", ())}
    total = sum(each.get("CurrentWeight", 0.0) for each in running)
    for each in running:
        made = wanted.get(each["VariantName"], {})
        yield Variant(
            name=each["VariantName"],
            share=each.get("CurrentWeight", 0.0) / total if total else None,
            instances=each.get("CurrentInstanceCount"),
            instance_type=made.get("InstanceType"),
            model=made.get("ModelName"),
        )


@dataclass(frozen=True)
class Draft:
    """What stands in the form: the text and its type, and the sample that it is or was from."""

    text: str
    form: str
    sample: Sample | None = None
    variant: str = ""
    problem: str | None = None
    number: int | None = None

    @property
    def is_changed(self) -> bool:
        """Whether the text is not that of the sample any more; lines end in their own way in a form."""
        return self.sample is not None and self.text.split() != self.sample.text.split()


def make_draft(place: Site, package: ModelPackage | None, wanted: Mapping[str, str]) -> Draft:
    """Return the form as it is to begin with: a sample in the type that is wanted and that the model takes."""
    taken = [form for form in FORMS if package is None or form in package.content_types] or list(FORMS)
    form = wanted["form"] if wanted.get("form") in taken else taken[0]
    if package is None:
        return Draft("", form, problem="no model package tells what this endpoint takes")
    sample = read_sample(place.s3, package, form, _number(wanted) or 1)
    if isinstance(sample, str):
        return Draft("", form, problem=sample)
    return Draft(sample.text, form, sample, number=sample.number)


def _number(fields: Mapping[str, str]) -> int | None:
    text = fields.get("claim", "")
    return int(text) if text.isdecimal() and len(text) < 9 else None


def show(request: Request) -> Response:
    """Show an endpoint."""
    endpoint = _find(request)
    package = package_of(site(request).client, endpoint.config) if endpoint.config else None
    return _page(request, endpoint, package, make_draft(site(request), package, request.query_params))


def take(request: Request, fields: Mapping[str, str]) -> Response:
    """Send a claim, and show what came back."""
    endpoint, place = _find(request), site(request)
    text, form, variant = fields.get("text", ""), fields.get("form", FORMS[0]), fields.get("variant", "")
    if form not in FORMS or not _VARIANT.fullmatch(variant):
        raise HTTPException(400, "the form names a type or a variant that no page offers: nothing was sent")
    draft = Draft(text, form, variant=variant, number=_number(fields))
    answer = send(place.runtime, endpoint.name, draft.text, draft.form, variant=draft.variant)
    package = package_of(place.client, endpoint.config) if endpoint.config else None
    return _page(request, endpoint, package, _with_sample(place, package, draft), answer)


def _with_sample(place: Site, package: ModelPackage | None, draft: Draft) -> Draft:
    """Return what was sent with the sample that it began with, whose label the answer is to be held against."""
    if package is None or draft.number is None:
        return draft
    sample = read_sample(place.s3, package, draft.form, draft.number)
    return draft if isinstance(sample, str) else replace(draft, sample=sample, number=sample.number)


def _find(request: Request) -> Endpoint:
    name = request.path_params["endpoint"]
    endpoint = read_endpoint(site(request).client, name)
    if endpoint is None:
        raise missing(f"there is no endpoint {name}")
    return endpoint


def _page(
    request: Request, endpoint: Endpoint, package: ModelPackage | None, draft: Draft, answer: Answer | None = None
) -> Response:
    place = site(request)
    shown = {
        "title": endpoint.name,
        "endpoint": endpoint,
        "package": package,
        "tails": read_endpoint_tails(
            place.session, endpoint.name, [each.name for each in endpoint.variants], place.places
        ),
        "draft": draft,
        "forms": FORMS,
        "answer": answer,
    }
    return render(request, "endpoint.html", shown, live=endpoint.is_moving)


PATH = "/endpoints/{endpoint}"
ROUTES = (Route(PATH, show), action(PATH, take))
