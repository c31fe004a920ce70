"""A version of a model: all that is known of it, and the form to approve or reject it."""

from __future__ import annotations

import hashlib
import os
import shlex
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipelines.delivery.approval.decision import Decided, Decision, check_note, decide, standing
from pipelines.delivery.approval.dossier import gather_dossier
from pipelines.delivery.approval.page import sections
from pipelines.delivery.approval.serving import find_serving
from pipelines.delivery.caller import find_caller
from pipelines.delivery.deployment.names import endpoint_name
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import LONGEST_NOTE, ROLLED_BACK, STAGES
from pipelines.delivery.packages import APPROVED, REJECTED, ModelPackage
from pipelines.ui.forms import action
from pipelines.ui.pages.registry import find_version
from pipelines.ui.rendering import address, render, site

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

_ONE_AT_A_TIME = threading.Lock()


class ChangedError(DeliveryError):
    """Somebody else has decided since the page was made."""


def state_of(package: ModelPackage) -> str:
    """Return a short text that is another one once anybody has decided anything about a package."""
    told = "\n".join((package.approval, package.approval_note or "", package.stage_record or ""))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def read_decision(fields: Mapping[str, str]) -> Decision:
    """Return what a person decided in the form.

    Raises:
        UsageError: a reason is missing, or it is none that the registry can keep.
    """
    verdict, stage, force = fields.get("decision"), fields.get("stage") or None, "force" in fields
    if verdict not in {"approve", "reject"} or stage not in {None, *STAGES}:
        raise UsageError("the form says neither Approve nor Reject, of the version or of one of its stages")
    note = check_note(fields["note"]) if fields.get("note", "").strip() else None
    if note is None and (verdict == "reject" or force):
        what = "rejected" if verdict == "reject" else "approved after all"
        raise UsageError(f"say why it is {what}: nothing was changed")
    named = next((each for each in STAGES if each == stage), None)
    return Decision(approves=verdict == "approve", note=note, stage=named, force=force and verdict == "approve")


def carry_out(place: Site, group: str, version: int, decision: Decision, seen: str) -> Decided:
    """Decide about a version whose state a person has seen.

    Raises:
        ChangedError: it is in another state by now.
        DeliveryError: approve-model would refuse it too.
    """
    caller = find_caller(place.session, os.environ)
    # Between two forms of this page nothing can happen; the registry itself has no such guard.
    with _ONE_AT_A_TIME:
        package = find_version(place.client, group, version)
        if state_of(package) != seen:
            raise ChangedError(
                f"{standing(package)} by now: somebody has decided since this page was made; nothing was changed"
            )
        return decide(place.client, package, decision, caller, datetime.now(UTC))


def deploy_command(package: ModelPackage, place: Site) -> str:
    """Return the command that brings a version into service."""
    root = place.places.root
    here = ["--local", "--local-root", str(root)] if root else []
    chosen = ["--model-package", str(package.version), "--group", package.group]
    return shlex.join(["deploy-model", "--stage", "staging", *chosen, *here])


def show(request: Request) -> Response:
    """Show a version."""
    return _page(request, {})


def take(request: Request, fields: Mapping[str, str]) -> Response:
    """Carry out a decision, and show what became of it."""
    group, version = request.path_params["group"], request.path_params["version"]
    try:
        decided = carry_out(site(request), group, version, read_decision(fields), fields.get("seen", ""))
    except DeliveryError as error:
        return _page(request, fields, problem=str(error), status=409 if isinstance(error, ChangedError) else 400)
    if not decided.changed:
        return _page(request, fields, problem=f"{decided.says}; nothing was changed")
    return RedirectResponse(address("registry", group, version), 303)


def _page(request: Request, fields: Mapping[str, str], *, problem: str = "", status: int = 200) -> Response:
    place, group = site(request), request.path_params["group"]
    package = find_version(place.client, group, request.path_params["version"])
    dossier, serving = gather_dossier(place, package), find_serving(place.client, package)
    shown = {
        "title": package.name,
        "group": group,
        "package": package,
        "champion": dossier.champion,
        "sections": sections(dossier, place.places, datetime.now(UTC)),
        "serving": {stage: endpoint_name(package.group, stage) for stage in serving.stages},
        "may_force": package.approval == REJECTED or package.stage_status in {REJECTED, ROLLED_BACK},
        "next": deploy_command(package, place) if package.approval == APPROVED and not serving.stages else None,
        "seen": state_of(package),
        "longest": LONGEST_NOTE,
        "stages": STAGES,
        "given": fields,
        "problem": problem,
    }
    return render(request, "version.html", shown, status=status)


PATH = "/registry/{group}/{version:int}"
ROUTES = (Route(PATH, show), action(PATH, take))
