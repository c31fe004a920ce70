"""An account of AWS that remembers: botocore validates each request by its model, and each answer is validated too."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.validate import ParamValidator

from tests.delivery.deployment.fake_endpoints import FakeEndpoints
from tests.delivery.deployment.service import Document, Refusal, missing

ACCOUNT, REGION, GROUP = "111122223333", "eu-west-1", "fraud"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/endpoint"
ROWS_URI = "s3://artifacts/runs/labelled.csv"
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# What asks and changes nothing.
READING = ("Describe", "List", "Get", "InvokeEndpoint")


class Session(boto3.Session):
    """A session whose clients are made once, for that takes its time, and ask the account of the moment."""

    account: "FakeAws"

    def __init__(self) -> None:
        core = botocore.session.Session()
        core.set_default_client_config(Config(retries={"total_max_attempts": 1}))
        super().__init__("AKIAEXAMPLE", "secret", region_name=REGION, botocore_session=core)
        events: Any = self.events
        events.register("before-parameter-build", _keep_parameters)
        events.register("before-call", lambda model, context, **_: self.account.answer(model, context))
        self._made: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:  # type: ignore[override]
        """Return the client of a service."""
        if service not in self._made:
            make: Any = super().client
            self._made[service] = make(service, **options)
        return self._made[service]


_session = cache(Session)


@dataclass
class FakeAws:
    """The account: its registry, models, endpoints, alarms, tags and objects, and every request that it got."""

    packages: dict[int, Document] = field(default_factory=dict)
    models: dict[str, Document] = field(default_factory=dict)
    configs: dict[str, Document] = field(default_factory=dict)
    alarms: dict[str, Document] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, Document]] = field(default_factory=list)
    before: Callable[[str, Document], None] = lambda operation, request: None

    def __post_init__(self) -> None:
        self.endpoints = FakeEndpoints(self.configs, self.version_of, ARN)
        self.session = _session()
        self.session.account = self

    def changing(self) -> list[str]:
        """The operations that were called and change something, in order."""
        return [name for name, _ in self.calls if not name.startswith(READING)]

    def sent(self, operation: str) -> list[Document]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def version_of(self, config: str) -> int:
        """Return the version of the model package behind a config."""
        model = self.models[self.configs[config]["ProductionVariants"][0]["ModelName"]]
        return int(model["Containers"][0]["ModelPackageName"].rpartition("/")[2])

    def add_package(self, version: int, *, approval: str = "Approved", **properties: str) -> str:
        """Register a package whose rows and ROC AUC are those of the fake's models."""
        arn = f"{ARN}:model-package/{GROUP}/{version}"
        container = {"Image": "image", "ModelDataUrl": f"s3://artifacts/models/{version}/model.tar.gz"}
        forms = ["text/csv", "application/json"]
        self.packages[version] = {
            "ModelPackageName": GROUP,
            "ModelPackageGroupName": GROUP,
            "ModelPackageArn": arn,
            "ModelPackageVersion": version,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": approval,
            "CreationTime": CREATED,
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": forms,
                "SupportedResponseMIMETypes": forms,
                "SupportedRealtimeInferenceInstanceTypes": ["ml.c5.xlarge"],
            },
            "CustomerMetadataProperties": {"LabelledRows": ROWS_URI, **properties},
        }
        return arn

    def answer(self, model: Any, context: Document) -> tuple[Any, Document]:
        """Answer a request that botocore has validated, in place of the network."""
        operation, request = model.name, context["parameters"]
        self.calls.append((operation, request))
        try:
            self.before(operation, request)
            answer = self._operation(operation)(request)
        except Refusal as refusal:
            return SimpleNamespace(status_code=refusal.status), refusal.parsed
        if model.output_shape and operation not in {"InvokeEndpoint", "GetObject"}:
            report = ParamValidator().validate(answer, model.output_shape)
            assert not report.has_errors(), f"{operation}: {report.generate_report()}"
        return SimpleNamespace(status_code=200), answer

    def _operation(self, name: str) -> Callable[[Document], Document]:
        holder = self.endpoints if hasattr(self.endpoints, name) else self
        operation: Callable[[Document], Document] = getattr(holder, name)
        return operation

    # The registry.

    def ListModelPackages(self, request: Document) -> Document:  # noqa: N802 - the operation's name
        wanted = request.get("ModelApprovalStatus")
        listed = [
            {
                name: package[name]
                for name in ("ModelPackageArn", "CreationTime", "ModelPackageStatus", "ModelPackageVersion")
            }
            for package in self.packages.values()
            if wanted in {None, package["ModelApprovalStatus"]}
        ]
        return {"ModelPackageSummaryList": listed}

    def DescribeModelPackage(self, request: Document) -> Document:  # noqa: N802
        version = int(request["ModelPackageName"].rpartition("/")[2])
        if version not in self.packages:
            raise missing("model package", request["ModelPackageName"])
        return dict(self.packages[version])

    def UpdateModelPackage(self, request: Document) -> Document:  # noqa: N802
        version = int(request["ModelPackageArn"].rpartition("/")[2])
        changes = {name: value for name, value in request.items() if name != "ModelPackageArn"}
        self.packages[version].update(changes)
        return {"ModelPackageArn": request["ModelPackageArn"]}

    # Models and configs.

    def CreateModel(self, request: Document) -> Document:  # noqa: N802
        return self._create(self.models, "model", "ModelName", request)

    def DescribeModel(self, request: Document) -> Document:  # noqa: N802
        return _described(self.models, "model", request["ModelName"], CreationTime=CREATED, ModelArn=f"{ARN}:model/x")

    def ListModels(self, request: Document) -> Document:  # noqa: N802
        return {"Models": self._listed(self.models, "model", "Model", request)}

    def DeleteModel(self, request: Document) -> Document:  # noqa: N802
        del self.models[request["ModelName"]]
        return {}

    def CreateEndpointConfig(self, request: Document) -> Document:  # noqa: N802
        if (model := request["ProductionVariants"][0]["ModelName"]) not in self.models:
            raise missing("model", model)
        return self._create(self.configs, "endpoint-config", "EndpointConfigName", request)

    def DescribeEndpointConfig(self, request: Document) -> Document:  # noqa: N802
        arn = {"EndpointConfigArn": f"{ARN}:endpoint-config/x", "CreationTime": CREATED}
        return _described(self.configs, "endpoint configuration", request["EndpointConfigName"], **arn)

    def ListEndpointConfigs(self, request: Document) -> Document:  # noqa: N802
        return {"EndpointConfigs": self._listed(self.configs, "endpoint-config", "EndpointConfig", request)}

    def DeleteEndpointConfig(self, request: Document) -> Document:  # noqa: N802
        del self.configs[request["EndpointConfigName"]]
        return {}

    def _create(self, there: dict[str, Document], kind: str, key: str, request: Document) -> Document:
        name = request[key]
        if name in there:
            raise Refusal("ValidationException", f'Cannot create already existing {kind} "{ARN}:{kind}/{name}".')
        there[name] = {member: value for member, value in request.items() if member != "Tags"}
        self._tag(f"{ARN}:{kind}/{name}", request.get("Tags", []))
        return {f"{key.removesuffix('Name')}Arn": f"{ARN}:{kind}/{name}"}

    def _listed(self, there: Mapping[str, Document], kind: str, member: str, request: Document) -> list[Document]:
        return [
            {f"{member}Name": name, f"{member}Arn": f"{ARN}:{kind}/{name}", "CreationTime": CREATED}
            for name in there
            if request.get("NameContains", "") in name
        ]

    # Endpoints are FakeEndpoints'; what goes with their creation is tagged here.

    def CreateEndpoint(self, request: Document) -> Document:  # noqa: N802
        answer = self.endpoints.create(request)
        self.tags.pop(answer["EndpointArn"], None)
        self._tag(answer["EndpointArn"], request.get("Tags", []))
        return answer

    # Tags, alarms, objects, identity.

    def _tag(self, arn: str, tags: list[Document]) -> None:
        self.tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})

    def AddTags(self, request: Document) -> Document:  # noqa: N802
        self._tag(request["ResourceArn"], request["Tags"])
        return {"Tags": request["Tags"]}

    def DeleteTags(self, request: Document) -> Document:  # noqa: N802
        for key in request["TagKeys"]:
            self.tags[request["ResourceArn"]].pop(key, None)
        return {}

    def ListTags(self, request: Document) -> Document:  # noqa: N802
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.get(request["ResourceArn"], {}).items()]}

    def PutMetricAlarm(self, request: Document) -> Document:  # noqa: N802
        self.alarms[request["AlarmName"]] = {"StateValue": "INSUFFICIENT_DATA", **request}
        return {}

    def DescribeAlarms(self, request: Document) -> Document:  # noqa: N802
        return {"MetricAlarms": [self.alarms[name] for name in request["AlarmNames"] if name in self.alarms]}

    def DeleteAlarms(self, request: Document) -> Document:  # noqa: N802
        for name in request["AlarmNames"]:
            del self.alarms[name]
        return {}

    def GetObject(self, request: Document) -> Document:  # noqa: N802
        uri = f"s3://{request['Bucket']}/{request['Key']}"
        if uri not in self.objects:
            raise Refusal("NoSuchKey", "The specified key does not exist.", status=404)
        return {"Body": io.BytesIO(self.objects[uri])}

    def GetCallerIdentity(self, request: Document) -> Document:  # noqa: N802
        return {"Account": ACCOUNT, "UserId": "A", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci"}


def _keep_parameters(params: Document, context: Document, **_: Any) -> None:
    context["parameters"] = params


def _described(there: Mapping[str, Document], kind: str, name: str, **more: Any) -> Document:
    if name not in there:
        raise missing(kind, name)
    return {**there[name], **more}
