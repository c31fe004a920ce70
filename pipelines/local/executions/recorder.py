"""Writes down what an engine does, step by step, and tells it what people ask meanwhile."""

import time

from pipelines.local.containers.stop import Stop
from pipelines.local.database import Document
from pipelines.local.definition import Step
from pipelines.local.engine import StepEnd
from pipelines.local.executions.records import Records

REASON_LIMIT = 1024


class Recorder:
    """The listener of one execution's engine: keeps the documents of its steps."""

    def __init__(self, records: Records, execution_arn: str, stop: Stop) -> None:
        self._records = records
        self._arn = execution_arn
        self._stop = stop
        self._parallelism: int | None = None
        self._documents = {document["Step"]["StepName"]: document for document in records.steps(execution_arn)}
        self.watch()

    def step_started(self, step: Step) -> None:
        """Write a step as executing."""
        shown: Document = {"StepName": step.name, "StartTime": time.time(), "StepStatus": "Executing", "Metadata": {}}
        if step.display_name:
            shown["StepDisplayName"] = step.display_name
        if step.description:
            shown["StepDescription"] = step.description
        sequence = 1 + max((document["Sequence"] for document in self._documents.values()), default=0)
        self._documents[step.name] = {"Step": shown, "Type": step.type, "Sequence": sequence}
        self._write(step.name)

    def announce(self, name: str, metadata: Document, cache_reason: str) -> None:
        """Write what a running step has made."""
        document = self._documents[name]
        document["Step"] |= {"Metadata": metadata, "AttemptCount": 1}
        document["CacheReason"] = cache_reason or None
        self._write(name)

    def step_ended(self, step: Step, end: StepEnd) -> None:
        """Write a step's end."""
        document = self._documents[step.name]
        shown = document["Step"]
        shown |= {"StepStatus": end.status, "EndTime": time.time()}
        if end.reason:
            shown["FailureReason"] = end.reason[:REASON_LIMIT]
        if end.result:
            shown["Metadata"] = end.result.metadata
            document["CacheReason"] = end.result.cache_reason
            if end.result.cache_source:
                shown["CacheHitResult"] = {"SourcePipelineExecutionArn": end.result.cache_source}
        self._write(step.name)

    def parallelism(self) -> int | None:
        """Tell the limit that is set for the execution at the moment."""
        return self._parallelism

    def watch(self) -> None:
        """See whether another process asked to stop the execution, or to change how much of it runs at once."""
        execution = self._records.execution(self._arn)
        configuration = execution.get("ParallelismConfiguration") or {}
        self._parallelism = configuration.get("MaxParallelExecutionSteps")
        if execution["PipelineExecutionStatus"] == "Stopping":
            self._stop.set()

    def _write(self, name: str) -> None:
        self._records.put_step(self._arn, self._documents[name])
