"""A version of a model: all that is known of it, and the form to approve or reject it."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipelines.delivery.approval.caution import cautions
from pipelines.delivery.approval.decision import PLACEHOLDER, Decided, Decision, check_note, decide, standing
from pipelines.delivery.approval.dossier import Dossier, gather_dossier
from pipelines.delivery.approval.page import sections
from pipelines.delivery.approval.serving import find_serving
from pipelines.delivery.caller import find_caller
from pipelines.delivery.deployment.names import endpoint_name
from pipelines.delivery.documents import read_document
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.gate import Verdict
from pipelines.delivery.lifecycle import LONGEST_NOTE, ROLLED_BACK, STAGES
from pipelines.delivery.packages import APPROVED, REJECTED, ModelPackage
from pipelines.delivery.report import panels
from pipelines.delivery.report.facts import Champion, Facts, Report
from pipelines.delivery.report.markup import Markup
from pipelines.delivery.report.quality import read_quality
from pipelines.ui.forms import action
from pipelines.ui.pages.registry import find_version
from pipelines.ui.rendering import address, render, site

if TYPE_CHECKING:
    from pipelines.delivery.run import Site

_EXECUTION = re.compile(r":pipeline/(?P<pipeline>[^/]+)/execution/(?P<execution>[^/]+)$")
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
    if "seen" not in fields:
        raise UsageError("the form does not say what its page has shown: load the page again; nothing was changed")
    if verdict not in {"approve", "reject"} or stage not in {None, *STAGES}:
        raise UsageError("the form says neither Approve nor Reject, of the version or of one of its stages")
    note = check_note(fields["note"]) if fields.get("note", "").strip() else None
    if note is None and (verdict == "reject" or force):
        what = "rejected" if verdict == "reject" else "approved after all"
        raise UsageError(f"say why it is {what}: nothing was changed")
    named = next((each for each in STAGES if each == stage), None)
    return Decision(approves=verdict == "approve", note=note, stage=named, force=force and verdict == "approve")


def carry_out(place: Site, group: str, version: str, decision: Decision, seen: str) -> Decided:
    """Decide about a version whose state a person has seen.

    Raises:
        ChangedError: it is in another state by now.
        DeliveryError: approve-model would refuse it too.
    """
    # Between two forms of this page nothing can happen; the registry itself has no such guard.
    with _ONE_AT_A_TIME:
        caller = find_caller(place.session, os.environ)
        package = find_version(place.client, group, version)
        if state_of(package) != seen:
            raise ChangedError(
                f"{standing(package)} by now: somebody has decided since this page was made; nothing was changed"
            )
        return decide(place.client, package, decision, caller, datetime.now(UTC))


def typed(place: Site, package: ModelPackage, *words: str) -> str:
    """Return a command about a version's group as it is typed in a shell."""
    root = place.places.root
    here = ["--local", "--local-root", str(root)] if root else []
    return shlex.join([*words, "--group", package.group, *here])


def execution_address(package: ModelPackage) -> str | None:
    """Return the address of the execution that made a version."""
    match = _EXECUTION.search(package.execution or "")
    return address("pipelines", match["pipeline"], "executions", match["execution"]) if match else None


def quality_of(place: Site, dossier: Dossier) -> Markup | None:
    """Return the pictures of a version's quality, with the champion's curves beside its own."""
    package = dossier.package
    if dossier.quality is None:
        return None
    facts = Facts(
        pipeline=package.group,
        execution_arn=package.execution or "",
        status="Succeeded",
        verdict=Verdict("finished", ""),
        reports=(Report(f"version {package.version}", dossier.quality),),
        champion=_champion(place, dossier),
    )
    return panels.quality(facts)


def _champion(place: Site, dossier: Dossier) -> Champion | None:
    champion = dossier.champion
    if champion is None:
        return None
    return Champion(
        f"version {champion.version}",
        champion.roc_auc,
        read_quality(read_document(place.s3, champion.evaluation)) if champion.evaluation else None,
        has_other_data=dossier.package.has_other_data(champion),
    )


def show(request: Request) -> Response:
    """Show a version."""
    return _page(request, {})


def take(request: Request, fields: Mapping[str, str]) -> Response:
    """Carry out a decision, and show what became of it."""
    group, version = request.path_params["group"], request.path_params["version"]
    try:
        decided = carry_out(site(request), group, version, read_decision(fields), fields["seen"])
    except DeliveryError as error:
        problem = str(error).replace("--note", "the note")
        return _page(request, fields, problem=problem, status=409 if isinstance(error, ChangedError) else 400)
    if not decided.changed:
        return _page(request, fields, problem=f"{decided.says}; nothing was changed")
    return RedirectResponse(address("registry", group, version), 303)


def _page(request: Request, fields: Mapping[str, str], *, problem: str = "", status: int = 200) -> Response:
    place, group = site(request), request.path_params["group"]
    package = find_version(place.client, group, request.path_params["version"])
    dossier, serving = gather_dossier(place, package), find_serving(place.client, package)
    version = str(package.version)
    shown = {
        "title": package.name,
        "group": group,
        "package": package,
        "champion": dossier.champion,
        "cautions": tuple(cautions(package, dossier.champion)),
        "sections": sections(dossier, place.places, datetime.now(UTC)),
        "serving": {stage: endpoint_name(package.group, stage) for stage in serving.stages},
        "may_force": package.approval == REJECTED or package.stage_status in {REJECTED, ROLLED_BACK},
        "next": typed(place, package, "deploy-model", "--stage", "staging", "--model-package", version)
        if package.approval == APPROVED and not serving.stages
        else None,
        "commands": [
            typed(place, package, "approve-model", version, each, "--note", PLACEHOLDER)
            for each in ("--approve", "--reject")
        ],
        "execution": execution_address(package),
        "pictures": quality_of(place, dossier),
        "seen": state_of(package),
        "longest": LONGEST_NOTE,
        "stages": STAGES,
        "given": fields,
        "problem": problem,
    }
    return render(request, "version.html", shown, status=status)


PATH = "/registry/{group}/{version}"
ROUTES = (Route(PATH, show), action(PATH, take))
