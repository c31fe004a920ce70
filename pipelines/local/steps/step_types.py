"""Which step type is run by what."""

from collections.abc import Callable
from functools import partial

from pipelines.local.definition import Step
from pipelines.local.expressions.resolve import Scope
from pipelines.local.steps.condition import run_condition_step
from pipelines.local.steps.fail import run_fail_step
from pipelines.local.steps.job_steps import PROCESSING, TRAINING, TRANSFORM, TUNING, run_job_step
from pipelines.local.steps.models import run_model_step, run_register_model_step
from pipelines.local.steps.step_context import StepContext, StepResult

STEP_TYPES: dict[str, Callable[[Step, Scope, StepContext], StepResult]] = {
    "Processing": partial(run_job_step, PROCESSING),
    "Training": partial(run_job_step, TRAINING),
    "Tuning": partial(run_job_step, TUNING),
    "Transform": partial(run_job_step, TRANSFORM),
    "Condition": run_condition_step,
    "RegisterModel": run_register_model_step,
    "Model": run_model_step,
    "Fail": run_fail_step,
}


def run_step(step: Step, scope: Scope, context: StepContext) -> StepResult:
    """Run a step by its type.

    Raises:
        StepFailure: the step failed.
        StoppedByUser: the step was stopped.
    """
    return STEP_TYPES[step.type](step, scope, context)
