"""The Fail step: ends an execution as failed, with a message."""

from pipelines.local.definition import Step
from pipelines.local.errors import StepFailure
from pipelines.local.expressions.resolve import Scope, as_text, resolve
from pipelines.local.steps.step_context import StepContext, StepResult


def run_fail_step(step: Step, scope: Scope, context: StepContext) -> StepResult:
    """Fail with the step's message, which may be empty.

    Raises:
        StepFailure: always.
    """
    message = as_text(resolve(step.arguments.get("ErrorMessage", ""), scope))
    context.announce(step.name, {"Fail": {"ErrorMessage": message}}, "")
    raise StepFailure(message)
