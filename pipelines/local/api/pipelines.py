"""The operations on pipelines: create, update, describe, list, delete."""

import time

from botocore.model import ServiceModel

from pipelines.local.api.listing import ordered, page, pick, within_times
from pipelines.local.api.tags import Tags
from pipelines.local.cache import Cache
from pipelines.local.database import AlreadyExists, Database, Document
from pipelines.local.definition import parse_definition
from pipelines.local.errors import ConflictError, ResourceNotFound, ValidationError
from pipelines.local.executions.records import ACTIVE, DEFINITION, EXECUTION, PIPELINE, Records, definition_key
from pipelines.local.jobs.machine import Machine


class Pipelines:
    """Pipelines, as the service keeps them: each update makes a version, and executions keep theirs."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._database: Database = machine.database
        self._model: ServiceModel = machine.model
        self._records = Records(machine.database)
        self._tags = Tags(machine.database)

    def create(self, request: Document) -> Document:
        """CreatePipeline."""
        name, now = request["PipelineName"], time.time()
        text = self._checked_definition(request)
        pipeline = {
            "PipelineDisplayName": name,
            **pick(request, *_KEPT),
            "PipelineName": name,
            "PipelineArn": self._machine.arn(f"pipeline/{name}"),
            "PipelineStatus": "Active",
            "PipelineVersionId": 1,
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        with self._database.transaction():
            try:
                self._database.insert(PIPELINE, name, pipeline)
            except AlreadyExists as error:
                raise ValidationError(
                    "Pipeline names must be unique within an AWS account and region. "
                    f"Pipeline with name ({name}) already exists."
                ) from error
            self._database.put(DEFINITION, definition_key(name, 1), {"Text": text})
        return pick(pipeline, "PipelineArn")

    def update(self, request: Document) -> Document:
        """UpdatePipeline."""
        replaced = "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request
        text = self._checked_definition(request) if replaced else None
        with self._database.transaction():
            pipeline = self.find(request["PipelineName"])
            version = pipeline["PipelineVersionId"] + 1
            name = pipeline["PipelineName"]
            text = text or self.definition(name, pipeline["PipelineVersionId"])
            self._database.put(DEFINITION, definition_key(name, version), {"Text": text})
            changes = {**pick(request, *_KEPT), "PipelineVersionId": version, "LastModifiedTime": time.time()}
            return pick(self._database.update(PIPELINE, name, **changes), "PipelineArn", "PipelineVersionId")

    def _checked_definition(self, request: Document) -> str:
        text: str | None = request.get("PipelineDefinition")
        location = request.get("PipelineDefinitionS3Location")
        if (text is None) == (location is None):
            raise ValidationError("Give exactly one of PipelineDefinition and PipelineDefinitionS3Location.")
        if location is not None:
            with self._machine.store.open(location["Bucket"], location["ObjectKey"]) as file:
                text = file.read().decode()
        assert text is not None
        parse_definition(text, self._model)
        return text

    def find(self, name_or_arn: str) -> Document:
        """Return the document of a pipeline.

        Raises:
            ResourceNotFound: there is none.
        """
        name = name_or_arn.rsplit("/", 1)[-1]
        pipeline = self._database.get(PIPELINE, name)
        if pipeline is None:
            raise ResourceNotFound(f"Pipeline '{self._machine.arn(f'pipeline/{name}')}' does not exist.")
        return pipeline

    def definition(self, name: str, version: int) -> str:
        """Return the text of one version of a pipeline's definition."""
        return self._records.definition({"Pipeline": name, "PipelineVersionId": version})

    def describe(self, request: Document) -> Document:
        """DescribePipeline."""
        pipeline = self.find(request["PipelineName"])
        version: int = request.get("PipelineVersionId") or pipeline["PipelineVersionId"]
        newest = self._records.newest_executions(pipeline["PipelineArn"], 1)
        last = {"LastRunTime": newest[0]["CreationTime"]} if newest else {}
        text = self.definition(pipeline["PipelineName"], version)
        return {**pick(pipeline, *_DESCRIBED), "PipelineDefinition": text, **last}

    def list(self, request: Document) -> Document:
        """ListPipelines."""
        found = [
            pipeline
            for pipeline in within_times(self._database.list(PIPELINE), request)
            if pipeline["PipelineName"].startswith(request.get("PipelineNamePrefix", ""))
        ]
        found = ordered(found, request, {"CreationTime": "CreationTime", "Name": "PipelineName"})
        return page("PipelineSummaries", [pick(pipeline, *_SUMMARY) for pipeline in found], request)

    def delete(self, request: Document) -> Document:
        """DeletePipeline: its executions, its cache and its tags go with it."""
        with self._database.transaction():
            pipeline = self.find(request["PipelineName"])
            name, arn = pipeline["PipelineName"], pipeline["PipelineArn"]
            executions = self._records.executions(arn)
            if any(execution["PipelineExecutionStatus"] in ACTIVE for execution in executions):
                raise ConflictError(f"Pipeline {name} has executions that run: stop them first.")
            for execution in executions:
                self._delete_execution(execution["PipelineExecutionArn"])
            for version in range(1, pipeline["PipelineVersionId"] + 1):
                self._database.delete(DEFINITION, definition_key(name, version))
            self._database.delete(PIPELINE, name)
            Cache(self._database).forget(name)
            self._tags.forget(arn)
        return {"PipelineArn": arn}

    def _delete_execution(self, arn: str) -> None:
        for step in self._records.steps(arn):
            self._records.delete_step(arn, step["Step"]["StepName"])
        self._database.delete(EXECUTION, arn)


_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_DESCRIBED = (
    "PipelineArn",
    "PipelineName",
    *_KEPT,
    "PipelineStatus",
    "CreationTime",
    "LastModifiedTime",
)
_SUMMARY = (
    "PipelineArn",
    "PipelineName",
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "CreationTime",
    "LastModifiedTime",
)
