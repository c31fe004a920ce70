"""What the expressions of an execution's steps see: parameters, variables, and the steps before them."""

import time
from dataclasses import replace
from datetime import UTC, datetime

from pipelines.local.database import Document
from pipelines.local.definition import Definition
from pipelines.local.errors import StepFailure
from pipelines.local.executions.records import Records
from pipelines.local.expressions.resolve import Scope, resolve
from pipelines.local.jobs.machine import Machine
from pipelines.local.steps.properties import properties
from pipelines.local.store import parse_uri

DEFAULT_EXPERIMENT = {
    "ExperimentName": {"Get": "Execution.PipelineName"},
    "TrialName": {"Get": "Execution.PipelineExecutionId"},
}


def execution_scope(machine: Machine, records: Records, execution: Document, definition: Definition) -> Scope:
    """Return the scope of one execution."""
    arn = execution["PipelineExecutionArn"]

    def properties_of(step: str) -> Document:
        document = records.step(arn, step)
        if document is None or not document["Step"]["Metadata"]:
            raise StepFailure(f"Step {step} has no properties: it did not run.")
        return properties(machine, document["Step"]["Metadata"])

    def property_file(step: str, name: str) -> str:
        file = definition.all_steps()[step].property_files[name]
        for output in properties_of(step)["ProcessingOutputConfig"]["Outputs"]:
            if output["OutputName"] == file.output_name:
                return f"{output['S3Output']['S3Uri'].rstrip('/')}/{file.path}"
        raise StepFailure(f"Step {step} has no output {file.output_name} for its property file {name}.")

    def read(uri: str) -> bytes:
        with machine.store.open(*parse_uri(uri)) as file:
            return file.read()

    scope = Scope(
        parameters=execution["Parameters"],
        execution=_variables(execution),
        properties=properties_of,
        property_file=property_file,
        read=read,
    )
    experiment = definition.experiment_config or DEFAULT_EXPERIMENT
    return replace(scope, experiment_config=resolve(dict(experiment), scope))


def _variables(execution: Document) -> Document:
    arn = execution["PipelineExecutionArn"]
    return {
        "StartDateTime": _iso(execution["CreationTime"]),
        "CurrentDateTime": _iso(time.time()),
        "PipelineName": execution["Pipeline"],
        "PipelineArn": execution["PipelineArn"],
        "PipelineExecutionId": arn.rsplit("/", 1)[-1],
        "PipelineExecutionArn": arn,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
