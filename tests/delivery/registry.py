"""A model registry to decide in: packages on the SageMaker of this machine, and a scripted one for what AWS refuses."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.delivery.scripted import ACCOUNT, Answer, Answers, Document, Script, ServiceRefusal, moment
from tests.local.conftest import Client
from tests.local.documents import XGBOOST

GROUP = "fraud"
ADA = "arn:aws:sts::111122223333:assumed-role/data-science/ada"
SHA = "0123456789abcdef0123456789abcdef01234567"
EXECUTION = f"{ACCOUNT}:pipeline/fraud/execution/abcdefghijkl"
REPORT = {
    "dataset": {"item_count": 1000},
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 961, "1": 6}, "1": {"0": 10, "1": 23}},
        "auc": {"value": 0.9476, "standard_deviation": 0.03},
        "precision": {"value": 0.7931},
        "recall": {"value": 0.697},
    },
}
REPORT_URI = "s3://reports/evaluation.json"
SPECIFICATION = {
    "Containers": [{"Image": XGBOOST, "ModelDataUrl": "s3://models/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv", "application/json"],
    "SupportedResponseMIMETypes": ["text/csv"],
    "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
}


def arn_of(version: int, group: str = GROUP) -> str:
    """The ARN of a version."""
    return f"{ACCOUNT}:model-package/{group}/{version}"


def add(
    client: Client, roc_auc: float | None = 0.9, *, group: str = GROUP, approval: str | None = None, **more: Any
) -> str:
    """Register a package as the pipeline does, in a group that is made when it is missing; return its ARN."""
    names = [
        each["ModelPackageGroupName"] for each in client.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    if group not in names:
        client.create_model_package_group(ModelPackageGroupName=group)
    properties = {"InputDataHash": "beef", "CodeHash": "c0de", "PipelineExecutionArn": EXECUTION}
    if roc_auc is not None:
        properties |= {"RocAuc": str(roc_auc), "RocAucThreshold": "0.85"}
    request = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": SPECIFICATION,
        "MetadataProperties": {"CommitId": SHA, "Repository": "https://github.com/org/fraud"},
        "CustomerMetadataProperties": properties,
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": REPORT_URI}},
        },
        **({"ModelApprovalStatus": approval} if approval else {}),
    }
    return str(client.create_model_package(**{**request, **more})["ModelPackageArn"])


def put_report(s3: Client, report: object = REPORT) -> None:
    """Put the evaluation report where the packages say that it is."""
    s3.create_bucket(Bucket="reports")
    s3.put_object(Bucket="reports", Key="evaluation.json", Body=json.dumps(report))


def described(version: int = 1, **more: Any) -> Document:
    """DescribeModelPackage's answer, of a package that waits and tells nothing of itself."""
    return {
        "ModelPackageName": GROUP,
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": version,
        "ModelPackageArn": arn_of(version),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "PendingManualApproval",
        "CreationTime": moment(0),
        **more,
    }


def summaries(*versions: int, token: str | None = None) -> Document:
    """ListModelPackages' answer."""
    entries = [
        {
            "ModelPackageArn": arn_of(version),
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": version,
            "CreationTime": moment(version),
            "ModelPackageStatus": "Completed",
        }
        for version in versions
    ]
    return {"ModelPackageSummaryList": entries} | ({"NextToken": token} if token else {})


class Account(Script):
    """A scripted account that also says who calls."""

    def __init__(
        self, answers: Mapping[str, Answers], objects: Mapping[str, str] | None = None, *, caller: Answer | str = ADA
    ) -> None:
        super().__init__(answers, objects)
        self._caller = caller

    def _answer(self, request: Any, event_name: str, **more: Any) -> AWSResponse:
        if not event_name.endswith(".GetCallerIdentity"):
            return super()._answer(request, event_name, **more)
        self.calls.append(("GetCallerIdentity", {}))
        return _identity(request.url, self._caller)


def _identity(url: str, caller: Answer | str) -> AWSResponse:
    if isinstance(caller, ServiceRefusal):
        error = f"<Error><Type>Sender</Type><Code>{caller.code}</Code><Message>{caller}</Message></Error>"
        return AWSResponse(url, 403, HTTPHeaders(), _Body(f"<ErrorResponse>{error}</ErrorResponse>"))
    told = f"<Arn>{caller}</Arn><UserId>AROA:ada</UserId><Account>111122223333</Account>"
    text = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult>{told}</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    return AWSResponse(url, 200, HTTPHeaders(), _Body(text))


class _Body:
    """What urllib3 gives botocore to read."""

    def __init__(self, text: str) -> None:
        self._content = text.encode()

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self._content]
