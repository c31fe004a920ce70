"""What becomes of executions whose end could not be written down, as when their process ended before they did."""

import time

from pipelines.local.database import Document
from pipelines.local.executions.records import ACTIVE, RUNNING, STEPS_FAILED, Records
from pipelines.local.jobs import processing, training, transform, tuning
from pipelines.local.jobs.machine import Machine
from pipelines.local.steps.properties import resource_of

REASON = "The process that ran this execution ended before it did. Its finished steps are reused by the next run."
RECOVER_JOB = {module.KIND: module.recover for module in (processing, training, tuning, transform)}


def recover(machine: Machine, records: Records, arn: str, reason: str = REASON) -> None:
    """Mark an execution that nobody runs any more, its unfinished steps and all of its unfinished jobs, as failed."""
    with machine.database.transaction():
        if machine.database.get(RUNNING, arn) is None:
            return
        for document in records.steps(arn):
            _recover_jobs(machine, document["Step"], reason)
            if document["Step"]["StepStatus"] in ACTIVE:
                document["Step"] |= {"StepStatus": "Failed", "EndTime": time.time(), "FailureReason": reason}
                records.put_step(arn, document)
        records.finish_execution(arn, "Failed", STEPS_FAILED)


def _recover_jobs(machine: Machine, step: Document, reason: str) -> None:
    for details in step["Metadata"].values():
        kind, name = resource_of(details["Arn"]) if "Arn" in details else (None, "")
        if kind in RECOVER_JOB:
            RECOVER_JOB[kind](machine, name, reason)
