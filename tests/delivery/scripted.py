"""A boto3 session whose answers are written in the test: real botocore on both sides of the wire, no network."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

Document = dict[str, Any]
Answer = Document | Exception | Callable[[Document], Document]
Answers = Answer | list[Document]

ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"
PIPELINE = f"{ACCOUNT}:pipeline/fraud"
EXECUTION = f"{PIPELINE}/execution/abcdefghijkl"
EARLIER = f"{PIPELINE}/execution/earlierearli"
PACKAGE = f"{ACCOUNT}:model-package/fraud/3"
ROLE = "arn:aws:iam::000000000000:role/sagemaker-local"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class ServiceRefusal(Exception):
    """What the service answers with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Script:
    """Answers each operation with what is listed for it: one after the other, the last one from then on."""

    def __init__(self, answers: Mapping[str, Answers], objects: Mapping[str, str] | None = None) -> None:
        self._answers: dict[str, list[Any]] = {
            name: list(each) if isinstance(each, list) else [each] for name, each in answers.items()
        }
        self._objects = objects or {}
        self.calls: list[tuple[str, Document]] = []
        core = botocore.session.Session()
        # Botocore's own attempts take their time; what is tested is what comes after them.
        core.set_default_client_config(Config(retries={"total_max_attempts": 1}))
        self.session = boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1", botocore_session=core)
        events: Any = self.session.events
        events.register("before-send", self._answer)

    def names(self) -> list[str]:
        """The operations that were called, in order."""
        return [name for name, _ in self.calls]

    def sent(self, operation: str) -> list[Document]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        if operation == "GetObject":
            return self._object(request.url)
        body = json.loads(request.body)
        self.calls.append((operation, body))
        return _respond(request.url, self._next(operation), body)

    def _next(self, operation: str) -> Answer:
        answers = self._answers[operation]
        answer: Answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer

    def _object(self, url: str) -> AWSResponse:
        parts = urlsplit(url)
        uri = f"s3://{parts.netloc.partition('.')[0]}{unquote(parts.path)}"
        self.calls.append(("GetObject", {"uri": uri}))
        if uri in self._objects:
            return _raw(url, 200, self._objects[uri])
        return _raw(url, 404, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")


def _respond(url: str, answer: Answer, body: Document) -> AWSResponse:
    if isinstance(answer, ServiceRefusal):
        return _raw(url, 400, json.dumps({"__type": answer.code, "message": str(answer)}))
    if isinstance(answer, Exception):
        raise answer
    return _raw(url, 200, json.dumps(answer(body) if callable(answer) else answer))


def _raw(url: str, status: int, text: str) -> AWSResponse:
    return AWSResponse(url, status, HTTPHeaders(), _Body(text.encode()))


class _Body:
    """What urllib3 gives botocore to read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.read()]

    def read(self, *_: Any, **__: Any) -> bytes:
        content, self._content = self._content, b""
        return content


def moment(seconds: float) -> float:
    """A time on the wire, some seconds after the start."""
    return (START + timedelta(seconds=seconds)).timestamp()


def described(status: str, *, seconds: float = 12.5, reason: str | None = None) -> Document:
    """DescribePipelineExecution's answer."""
    answer: Document = {
        "PipelineArn": PIPELINE,
        "PipelineExecutionArn": EXECUTION,
        "PipelineExecutionStatus": status,
        "CreationTime": moment(0),
        "LastModifiedTime": moment(seconds),
    }
    return answer | ({"FailureReason": reason} if reason else {})


def listed(*entries: Document, token: str | None = None) -> Document:
    """ListPipelineExecutionSteps' answer."""
    return {"PipelineExecutionSteps": list(entries)} | ({"NextToken": token} if token else {})


def entry(name: str, status: str = "Succeeded", *, metadata: Document | None = None, **more: Any) -> Document:
    """One step in that list; an ended one took two seconds."""
    ended = {"EndTime": moment(3)} if status in {"Succeeded", "Failed", "Stopped"} else {}
    known = {"Metadata": metadata} if metadata else {}
    return {"StepName": name, "StepStatus": status, "StartTime": moment(1), **ended, **known, **more}


def job(kind: str, name: str) -> Document:
    """Metadata that name a job: kind is ProcessingJob, TrainingJob or TuningJob."""
    words = {"ProcessingJob": "processing-job", "TrainingJob": "training-job"}
    return {kind: {"Arn": f"{ACCOUNT}:{words.get(kind, 'hyper-parameter-tuning-job')}/{name}"}}


def tuning(completed: int, running: int, *, best: float | None = None) -> Document:
    """DescribeHyperParameterTuningJob's answer, of five trials."""
    objective = {"MetricName": "validation:auc", "Value": best}
    trial = {
        "TrainingJobName": "tune-001",
        "TrainingJobArn": f"{ACCOUNT}:training-job/tune-001",
        "FinalHyperParameterTuningJobObjectiveMetric": objective,
    }
    limits = {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 5}
    return {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": {"Strategy": "Bayesian", "ResourceLimits": limits},
        "TrainingJobStatusCounters": {"Completed": completed, "InProgress": running},
    } | ({"BestTrainingJob": trial} if best is not None else {})


def processed(folder: str, *, exit_message: str | None = None, inputs: Sequence[str] = ()) -> Document:
    """DescribeProcessingJob's answer, of a job with one output, `evaluation`, and with inputs from these URIs."""
    output = {
        "OutputName": "evaluation",
        "S3Output": {"S3Uri": folder, "LocalPath": "/opt", "S3UploadMode": "EndOfJob"},
    }
    answer: Document = {
        "ProcessingJobName": "evaluate",
        "ProcessingInputs": [{"InputName": "x", "S3Input": {"S3Uri": uri, "S3DataType": "S3Prefix"}} for uri in inputs],
        "ProcessingOutputConfig": {"Outputs": [output]},
    }
    return answer | ({"ExitMessage": exit_message} if exit_message else {})


def trained(**metrics: float) -> Document:
    """DescribeTrainingJob's answer; a `__` in a metric's name stands for its colon."""
    final = [
        {"MetricName": name.replace("__", ":"), "Value": value, "Timestamp": moment(2)}
        for name, value in metrics.items()
    ]
    return {
        "TrainingJobName": "train",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/models/train/output/model.tar.gz"},
        "FinalMetricDataList": final,
    }


def packaged(evaluation: str) -> Document:
    """DescribeModelPackage's answer."""
    model = {"Image": "image", "ModelDataUrl": "s3://bucket/models/tune-001/output/model.tar.gz"}
    statistics = {"ContentType": "application/json", "S3Uri": evaluation}
    return {
        "ModelPackageArn": PACKAGE,
        "InferenceSpecification": {"Containers": [model]},
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
    }
