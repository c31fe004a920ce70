"""The gate: from an execution that has ended to its verdict. Pure: whatever it needs is handed in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.delivery.definition import Definition
from pipelines.delivery.snapshot import Execution, Step, Trials

Outcome = Literal["registered", "rejected", "finished", "failed"]

EXIT_CODES: dict[Outcome, int] = {"registered": 0, "finished": 0, "failed": 1, "rejected": 3}
REJECTION = "GateRejected:"
_ROC_AUC = frozenset({"auc", "roc_auc"})


@dataclass(frozen=True)
class Check:
    """A report's value beside the threshold that a condition step held it against; none where it was not found."""

    step: str
    path: str
    metric: str
    operator: str
    value: float | None
    threshold: float | None
    parameter: str | None
    evaluation: str | None


@dataclass(frozen=True)
class Package:
    """What a registered model package says of itself: its model, its report and that report's value of the metric."""

    arn: str
    model: str | None = None
    evaluation: str | None = None
    value: float | None = None
    group: str | None = None
    approval: str | None = None
    data_hash: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A model that a step evaluated and rejected, and the report that the step left."""

    model: str | None
    evaluation: str | None


@dataclass(frozen=True)
class Branch:
    """A condition step and the branch that it chose."""

    step: str
    outcome: bool


@dataclass(frozen=True)
class Verdict:
    """What the gate says, and the numbers that it says it by."""

    outcome: Outcome
    reason: str
    model_package_arn: str | None = None
    branches: tuple[Branch, ...] = ()
    checks: tuple[Check, ...] = ()
    trials: Trials | None = None
    tuned_roc_auc: float | None = None
    champion: Package | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of the command that asked."""
        return EXIT_CODES[self.outcome]

    @property
    def roc_auc(self) -> float | None:
        """The ROC AUC that the condition saw."""
        check = auc_check(self.checks)
        return check.value if check else None

    @property
    def threshold(self) -> float | None:
        """What the ROC AUC was held against."""
        check = auc_check(self.checks)
        return check.threshold if check else None

    @property
    def candidate_roc_auc(self) -> float | None:
        """The ROC AUC of the model that the run ended with: the tuned one where there is one."""
        return self.roc_auc if self.tuned_roc_auc is None else self.tuned_roc_auc

    @property
    def difference(self) -> float | None:
        """By how much the run's model is better than the champion."""
        if self.champion is None or self.champion.value is None or self.candidate_roc_auc is None:
            return None
        return self.candidate_roc_auc - self.champion.value


@dataclass(frozen=True)
class Rivals:
    """The model package that an execution registered, and the champion: the newest one of its group that is approved.

    With `max_regression`, a model whose ROC AUC is below the champion's by more than that is rejected.
    """

    package: Package | None = None
    champion: Package | None = None
    max_regression: float | None = None


def judge(
    execution: Execution, definition: Definition, checks: Sequence[Check] = (), rivals: Rivals | None = None
) -> Verdict:
    """Give the verdict on an execution that has ended."""
    rivals = rivals or Rivals()
    outcome, reason = _decide(execution, definition)
    tunings = execution.of_type("Tuning")
    verdict = Verdict(
        outcome=outcome,
        reason=reason,
        model_package_arn=registered_arn(execution),
        branches=tuple(Branch(step.name, step.outcome) for step in execution.steps if step.outcome is not None),
        checks=tuple(checks),
        trials=tunings[-1].trials if tunings else None,
        tuned_roc_auc=_tuned_roc_auc(execution, checks, rivals.package) if tunings else None,
        champion=rivals.champion,
    )
    return _compare(verdict, rivals)


def _compare(verdict: Verdict, rivals: Rivals) -> Verdict:
    """Turn a registration into a rejection where the champion is too much better; a person's approval stands."""
    champion, allowed = rivals.champion, rivals.max_regression
    approved = rivals.package is not None and rivals.package.approval == "Approved"
    if verdict.outcome != "registered" or champion is None or allowed is None or approved:
        return verdict
    if verdict.difference is None or champion.value is None:
        return replace(
            verdict,
            outcome="failed",
            reason=f"--no-regression: {package_name(verdict.model_package_arn)} cannot be compared with the champion, "
            f"{package_name(champion.arn)}, for the ROC AUC of one of them is unknown",
        )
    # Numbers of a report, which has some digits only.
    if round(-verdict.difference, 12) <= allowed:
        return verdict
    reason = (
        f"ROC AUC {verdict.candidate_roc_auc:.4f} is below the champion's {champion.value:.4f} "
        f"({package_name(champion.arn)}) by {-verdict.difference:.4f}, more than the allowed {allowed:g}"
    )
    return replace(verdict, outcome="rejected", reason=reason)


def auc_check(checks: Sequence[Check]) -> Check | None:
    """Return the one check of a ROC AUC; none when there are several, for then nobody can say which is meant."""
    found = [check for check in checks if check.metric in _ROC_AUC]
    return found[0] if len(found) == 1 else None


def registered_arn(execution: Execution) -> str | None:
    """Return the ARN of the model package that the execution registered last."""
    step = _registered(execution)
    return step.arn if step else None


def _decide(execution: Execution, definition: Definition) -> tuple[Outcome, str]:
    failed = [step for step in execution.steps if step.status == "Failed"]
    rejections = [step for step in failed if _is_rejection(step, definition)]
    if execution.status == "Stopped":
        return "failed", "the execution was stopped"
    if (registered := _registered(execution)) and (rejections == failed or execution.status != "Failed"):
        return "registered", f"{registered.name} registered {package_name(registered.arn)}"
    if rejections and rejections == failed:
        return "rejected", rejection_text(rejections[0])
    if execution.status != "Succeeded":
        return "failed", _failure(execution, failed)
    if not definition.has("RegisterModel"):
        return "finished", "every step succeeded; the pipeline registers no model"
    return "rejected", _untaken(execution)


def rejection_text(step: Step) -> str:
    """Return the words with which a step rejected the model, without what the service wraps around them."""
    text = _message(step)
    if REJECTION in text:
        text = text.partition(REJECTION)[2].splitlines()[0]
    return re.sub(r",? exit code: \d+$", "", text.strip()) or f"{step.name} rejected the model"


def says_rejected(step: Step) -> bool:
    """Return whether the step ended by saying that the model is rejected."""
    return step.status == "Failed" and REJECTION in _message(step)


def package_name(arn: str | None) -> str:
    """Return a model package's group and version, as people call it."""
    return f"model package {arn.partition('model-package/')[2]}" if arn else "a model package"


def _registered(execution: Execution) -> Step | None:
    packages = [step for step in execution.of_type("RegisterModel") if step.status == "Succeeded"]
    return packages[-1] if packages else None


def _is_rejection(step: Step, definition: Definition) -> bool:
    plan = definition.steps.get(step.name)
    chosen = step.type == "Fail" and plan is not None and plan.condition is not None
    return chosen or says_rejected(step)


def _message(step: Step) -> str:
    # A processing job's last words stand in its ExitMessage; the service puts them into no FailureReason.
    texts = [text for text in (step.failure_reason, step.exit_message) if text]
    return next((text for text in texts if REJECTION in text), texts[0] if texts else "")


def _failure(execution: Execution, failed: Sequence[Step]) -> str:
    if failed:
        return "; ".join(f"{step.name} failed: {failure_text(step)}" for step in failed)
    return execution.failure_reason or f"the execution ended as {execution.status}"


def failure_text(step: Step) -> str:
    """Why a step failed, on one line: the service's reason and the job's last words."""
    texts = dict.fromkeys(" ".join(text.split()) for text in (step.failure_reason, step.exit_message) if text)
    said = [text for text in texts if not any(text in other and text != other for other in texts)]
    return " · ".join(said) or "the service gives no reason"


def _untaken(execution: Execution) -> str:
    chosen = [f"{step.name} is {str(step.outcome).lower()}" for step in execution.steps if step.outcome is not None]
    return f"no step that registers a model was reached ({', '.join(chosen) or 'no condition was evaluated'})"


def _tuned_roc_auc(execution: Execution, checks: Sequence[Check], package: Package | None) -> float | None:
    """Return the tuned model's ROC AUC, told by a package with a report of its own or by a rejection."""
    if package and package.evaluation and package.evaluation not in {check.evaluation for check in checks}:
        return package.value
    for step in execution.steps:
        if step.status == "Failed" and (
            found := re.search(rf"{REJECTION}.*?ROC AUC (\d\.\d+) is not above", _message(step))
        ):
            return float(found[1])
    return None
