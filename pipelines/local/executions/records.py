"""The documents about executions and their steps."""

import time
from typing import Any

from pipelines.local.database import Database, Document
from pipelines.local.errors import ResourceNotFound

PIPELINE = "pipeline"
DEFINITION = "pipeline-definition"
EXECUTION = "execution"
STEP = "step"
RUNNING = "running"

ACTIVE = ("Executing", "Stopping")
STEPS_FAILED = "Step failure: One or multiple steps failed."


class Records:
    """Executions and their steps, as the service describes them, in the database.

    A step's document holds its API form under `Step`, beside what only this machine keeps.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def execution(self, arn: str) -> Document:
        """Return the document of an execution.

        Raises:
            ResourceNotFound: there is none.
        """
        execution = self.database.get(EXECUTION, arn)
        if execution is None:
            raise ResourceNotFound(f"Pipeline execution {arn} does not exist.")
        return execution

    def executions(self, pipeline_arn: str) -> list[Document]:
        """Return the executions of a pipeline, oldest first."""
        return self.database.list(EXECUTION, f"{pipeline_arn}/execution/")

    def newest_executions(self, pipeline_arn: str, count: int, *, skip: int = 0) -> list[Document]:
        """Return some of the executions of a pipeline, the latest first."""
        return self.database.newest(EXECUTION, f"{pipeline_arn}/execution/", count, skip=skip)

    def definition(self, execution: Document) -> str:
        """Return the definition that an execution runs."""
        name, version = execution["Pipeline"], execution["PipelineVersionId"]
        document = self.database.get(DEFINITION, definition_key(name, version))
        if document is None:
            raise ResourceNotFound(f"Version {version} of pipeline {name} does not exist.")
        text: str = document["Text"]
        return text

    def steps(self, execution_arn: str) -> list[Document]:
        """Return the documents of an execution's steps in the order in which they started."""
        return sorted(self.database.list(STEP, f"{execution_arn}/"), key=lambda step: step["Sequence"])

    def step(self, execution_arn: str, name: str) -> Document | None:
        """Return the document of one step, if it has started."""
        return self.database.get(STEP, f"{execution_arn}/{name}")

    def put_step(self, execution_arn: str, document: Document) -> None:
        """Write a step's document."""
        self.database.put(STEP, f"{execution_arn}/{document['Step']['StepName']}", document)

    def delete_step(self, execution_arn: str, name: str) -> None:
        """Remove a step's document."""
        self.database.delete(STEP, f"{execution_arn}/{name}")

    def update_execution(self, arn: str, **changes: Any) -> Document:
        """Change members of an execution's document."""
        return self.database.update(EXECUTION, arn, **changes, LastModifiedTime=time.time())

    def finish_execution(self, arn: str, status: str, reason: str | None = None) -> None:
        """Write an execution's end."""
        changes: Document = {"PipelineExecutionStatus": status}
        if reason:
            changes["FailureReason"] = reason
        with self.database.transaction():
            self.update_execution(arn, **changes)
            self.database.delete(RUNNING, arn)


def definition_key(pipeline: str, version: int) -> str:
    """Return the key of one version of a pipeline's definition."""
    return f"{pipeline}/{version:08d}"
