"""The Condition step: decides which of its branches runs."""

from pipelines.local.definition import Step
from pipelines.local.expressions.conditions import evaluate
from pipelines.local.expressions.resolve import Scope
from pipelines.local.steps.step_context import StepContext, StepResult


def run_condition_step(step: Step, scope: Scope, _context: StepContext) -> StepResult:
    """Evaluate the conditions.

    Raises:
        StepFailure: a condition cannot be evaluated.
    """
    outcome = evaluate(step.arguments["Conditions"], scope)
    return StepResult({"Condition": {"Outcome": str(outcome)}})
