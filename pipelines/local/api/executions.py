"""The operations on pipeline executions: start, stop, retry, describe, list."""

from pipelines.local.api.listing import lazy_page, ordered, page, pick, within_times
from pipelines.local.api.pipelines import Pipelines
from pipelines.local.database import Document
from pipelines.local.executions.executions import Executions

NOT_SHOWN = ("Parameters", "Pipeline")


class PipelineExecutions:
    """Executions, as the service shows them."""

    def __init__(self, executions: Executions, pipelines: Pipelines) -> None:
        self._executions = executions
        self._records = executions.records
        self._pipelines = pipelines

    def start(self, request: Document) -> Document:
        """StartPipelineExecution."""
        pipeline = self._pipelines.find(request["PipelineName"])
        version: int = request.get("PipelineVersionId") or pipeline["PipelineVersionId"]
        text = self._pipelines.definition(pipeline["PipelineName"], version)
        arn = self._executions.start({**pipeline, "PipelineVersionId": version}, text, request)
        return {"PipelineExecutionArn": arn}

    def stop(self, request: Document) -> Document:
        """StopPipelineExecution."""
        self._executions.stop(request["PipelineExecutionArn"])
        return pick(request, "PipelineExecutionArn")

    def retry(self, request: Document) -> Document:
        """RetryPipelineExecution."""
        self._executions.retry(request["PipelineExecutionArn"], request.get("ParallelismConfiguration"))
        return pick(request, "PipelineExecutionArn")

    def update(self, request: Document) -> Document:
        """UpdatePipelineExecution."""
        arn = request["PipelineExecutionArn"]
        changes = {name: value for name, value in request.items() if name != "PipelineExecutionArn"}
        with self._records.database.transaction():
            self._records.execution(arn)
            self._records.update_execution(arn, **changes)
        return {"PipelineExecutionArn": arn}

    def describe(self, request: Document) -> Document:
        """DescribePipelineExecution."""
        self._executions.recover()
        execution = self._records.execution(request["PipelineExecutionArn"])
        return {name: value for name, value in execution.items() if name not in NOT_SHOWN}

    def _latest(self, pipeline_arn: str, start: int, count: int) -> list[Document]:
        return [_summary(each) for each in self._records.newest_executions(pipeline_arn, count, skip=start)]

    def list(self, request: Document) -> Document:
        """ListPipelineExecutions."""
        self._executions.recover()
        arn = self._pipelines.find(request["PipelineName"])["PipelineArn"]
        if _is_plain(request):
            # There may be many, and those who watch ask for the latest again and again.
            return lazy_page(
                "PipelineExecutionSummaries", lambda start, count: self._latest(arn, start, count), request
            )
        found = within_times(self._records.executions(arn), request)
        keys = {"CreationTime": "CreationTime", "PipelineExecutionArn": "PipelineExecutionArn"}
        summaries = [_summary(execution) for execution in ordered(found, request, keys)]
        return page("PipelineExecutionSummaries", summaries, request)

    def list_steps(self, request: Document) -> Document:
        """ListPipelineExecutionSteps: the latest first, unless asked otherwise."""
        arn = request["PipelineExecutionArn"]
        self._records.execution(arn)
        steps = [document["Step"] for document in self._records.steps(arn)]
        if request.get("SortOrder", "Descending") == "Descending":
            steps.reverse()
        return page("PipelineExecutionSteps", steps, request)

    def list_parameters(self, request: Document) -> Document:
        """ListPipelineParametersForExecution: all of them, with their defaults."""
        parameters = self._records.execution(request["PipelineExecutionArn"])["Parameters"]
        found = [{"Name": name, "Value": str(value)} for name, value in parameters.items()]
        return page("PipelineParameters", found, request)

    def describe_definition(self, request: Document) -> Document:
        """DescribePipelineDefinitionForExecution."""
        execution = self._records.execution(request["PipelineExecutionArn"])
        return {"PipelineDefinition": self._records.definition(execution), **pick(execution, "CreationTime")}


def _is_plain(request: Document) -> bool:
    """Tell whether all executions are asked for, the latest first."""
    usual = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    others = request.keys() - usual.keys() - {"PipelineName", "MaxResults", "NextToken"}
    return not others and all(request.get(name, value) == value for name, value in usual.items())


def _summary(execution: Document) -> Document:
    summary = pick(
        execution,
        "PipelineExecutionArn",
        "PipelineExecutionStatus",
        "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )
    summary["StartTime"] = execution["CreationTime"]
    if "FailureReason" in execution:
        summary["PipelineExecutionFailureReason"] = execution["FailureReason"]
    return summary
