"""An account of moto's, with what moto cannot do answered beside it; botocore validates every request and answer."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.handlers
import botocore.session
import pytest
from botocore.loaders import Loader
from botocore.validate import ParamValidator
from moto import mock_aws

from pipelines.adoption.account import Account, open_account
from pipelines.adoption.doctor.bucket import CORS
from pipelines.adoption.oidc import find_provider
from tests.delivery.deployment.service import Refusal

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = REPOSITORY / "project-template" / "template.yml"
REGION, NUMBER = "eu-west-1", "123456789012"
BUCKET = f"ml-templates-{NUMBER}-{REGION}"
ROLE = f"arn:aws:iam::{NUMBER}:role/service-role/studio"
LAUNCH_ROLE = f"arn:aws:iam::{NUMBER}:role/sagemaker-project-launch-{REGION}"
PROVIDER = f"arn:aws:iam::{NUMBER}:oidc-provider/token.actions.githubusercontent.com"
PRODUCT = "prod-example"
STACK = "sagemaker-project-template"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{NUMBER}:connection/0a1b2c3d"
QUOTAS = {
    "ml.m5.xlarge for processing job usage": "L-0001",
    "ml.m5.xlarge for training job usage": "L-0002",
    "ml.m5.large for endpoint usage": "L-0003",
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
# What install.yml has and moto's CloudFormation leaves out.
NOT_IN_MOTO = ("AWS::S3::BucketPolicy", "AWS::IAM::OIDCProvider", r"AWS::ServiceCatalog::\w+")
READING = ("Describe", "Get", "List", "Head", "Simulate")

Document = dict[str, Any]
Answer = Callable[[Document], Document | None]


class MotoAws:
    """What the account was asked, and answers that come before moto's; one of none leaves the question to moto."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Document]] = []
        # As IAM calls them, but for some of S3.
        self.actions: set[str] = set()
        self.projects: dict[str, Document] = {}
        self.versions: dict[str, str] = {}
        self.denied: set[str] = set()
        self.quotas = dict.fromkeys(QUOTAS, 20.0)
        self.connections: dict[str, str] = {}
        # What the next looks at a stack see, instead of moto's, which has done everything at once.
        self.statuses: list[str] = []
        self.answers: dict[str, Answer | Refusal] = {
            "ListProjects": lambda _: {"ProjectSummaryList": [_summary(*item) for item in self.projects.items()]},
            "DescribeProject": lambda request: _project(request["ProjectName"]) | self.projects[request["ProjectName"]],
            "SimulatePrincipalPolicy": self._simulate,
            "ListProvisioningArtifacts": self._list_versions,
            "CreateProvisioningArtifact": self._add_version,
            "ListServiceQuotas": lambda _: {"Quotas": [_quota(name, value) for name, value in self.quotas.items()]},
            "ListAWSDefaultServiceQuotas": lambda _: {"Quotas": []},
            "ListConnections": lambda _: {"Connections": [_connection(*item) for item in self.connections.items()]},
            "GetConnection": lambda request: {
                "Connection": _connection(request["ConnectionArn"], self.connections[request["ConnectionArn"]])
            },
        }

    def changing(self) -> list[str]:
        """The operations that were called and change something, in order."""
        return [name for name, _ in self.calls if not name.startswith(READING)]

    def sent(self, operation: str) -> list[Document]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    @cached_property
    def account(self) -> Account:
        """The account as a command opens it."""
        core = botocore.session.Session()
        core.register_component("data_loader", _models())
        return open_account(boto3.Session(region_name=REGION, botocore_session=core))

    def client(self, service: str) -> Any:
        """A client of the account, for what a test prepares or looks at."""
        return self.account.client(service)

    def add_domain(self, name: str = "studio", role: str = ROLE) -> str:
        """Make a Studio domain and its role; return its ARN."""
        iam = self.client("iam")
        path, _, role_name = role.partition(":role")[2].rpartition("/")
        iam.create_role(RoleName=role_name, Path=f"{path}/", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
        # Moto cannot list no tags at all.
        domain = self.client("sagemaker").create_domain(
            DomainName=name,
            AuthMode="IAM",
            DefaultUserSettings={"ExecutionRole": role},
            SubnetIds=["subnet-1"],
            VpcId="vpc-1",
            Tags=[{"Key": "team", "Value": "claims"}],
        )
        return str(domain["DomainArn"])

    def domain_tags(self, arn: str) -> dict[str, str]:
        """The tags of a domain, without the one that it is made with."""
        tags = self.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags if tag["Key"] != "team"}

    def finish(self) -> None:
        """Do what CloudFormation does of install.yml and moto leaves out."""
        self.client("s3").put_bucket_cors(Bucket=BUCKET, CORSConfiguration=CORS)
        self.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        url, audience = f"https://{PROVIDER.partition('/')[2]}", "sts.amazonaws.com"
        if find_provider(self.account) is None:
            self.client("iam").create_open_id_connect_provider(Url=url, ClientIDList=[audience], ThumbprintList=[])

    def deny(self, operation: str) -> None:
        """Let the caller do an operation no more."""
        self.answers[operation] = Refusal("AccessDenied", f"User is not authorized to perform {operation}", status=403)

    def answer(self, model: Any, context: Document) -> tuple[Any, Document] | None:
        """Answer a request that botocore has validated, unless moto is to do so."""
        operation, request = model.name, context.get("parameters", {})
        self.calls.append((operation, request))
        self.actions.add(f"{model.service_model.signing_name}:{operation}")
        answer = self.answers.get(operation)
        if isinstance(answer, Refusal):
            return SimpleNamespace(status_code=answer.status), answer.parsed
        document = answer(request) if answer else None
        if document is None:
            return None
        if model.output_shape is None:
            return SimpleNamespace(status_code=200), document
        report = ParamValidator().validate(document, model.output_shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"
        return SimpleNamespace(status_code=200), document

    def correct(self, parsed: Document, model: Any, **_: Any) -> None:
        """Undo what moto does to stacks: lists as Python writes them, and no products of Service Catalog."""
        if model.name != "DescribeStacks":
            return
        for stack in parsed.get("Stacks", []):
            if self.statuses:
                stack["StackStatus"] = self.statuses.pop(0)
            parameters = {each["ParameterKey"]: each for each in stack.get("Parameters", [])}
            for each in parameters.values():
                value = each["ParameterValue"]
                each["ParameterValue"] = value.strip("[]").replace("'", "").replace(", ", ",")
            if parameters.get("ServiceCatalogTemplateUrl", {}).get("ParameterValue"):
                stack["Outputs"] = [out for out in stack["Outputs"] if out["OutputKey"] not in {"ProductId"}]
                stack["Outputs"].append({"OutputKey": "ProductId", "OutputValue": PRODUCT})
                version = parameters["ServiceCatalogVersion"]["ParameterValue"]
                self.versions.setdefault(version, f"pa-{version}")

    def _simulate(self, request: Document) -> Document:
        decisions = {name: "implicitDeny" if name in self.denied else "allowed" for name in request["ActionNames"]}
        results = [{"EvalActionName": name, "EvalDecision": decision} for name, decision in decisions.items()]
        return {"EvaluationResults": results, "IsTruncated": False}

    def _list_versions(self, request: Document) -> Document:
        assert request == {"ProductId": PRODUCT}
        return {"ProvisioningArtifactDetails": [{"Id": id_, "Name": name} for name, id_ in self.versions.items()]}

    def _add_version(self, request: Document) -> Document:
        name = request["Parameters"]["Name"]
        self.versions[name] = f"pa-{name}"
        return {"ProvisioningArtifactDetail": {"Id": f"pa-{name}", "Name": name}, "Status": "CREATING"}


@cache
def _models() -> Loader:
    # It takes most of a client's time, and remembers.
    return Loader()


@contextmanager
def moto_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """Put an account before every session that is opened; with credentials, as a person has them."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    aws = MotoAws()
    handlers: list[Any] = [
        ("before-parameter-build", _keep_parameters),
        ("before-call", lambda model, context, **_: aws.answer(model, context)),
        ("after-call", aws.correct),
    ]
    builtin: Any = botocore.handlers
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", f"Tried to parse ({'|'.join(NOT_IN_MOTO)}) ")
        monkeypatch.setattr(builtin, "BUILTIN_HANDLERS", [*builtin.BUILTIN_HANDLERS, *handlers])
        yield aws


def _keep_parameters(params: Document, context: Document, **_: Any) -> None:
    context["parameters"] = dict(params)


def _quota(name: str, value: float) -> Document:
    return {"ServiceCode": "sagemaker", "QuotaName": name, "QuotaCode": QUOTAS[name], "Value": value}


def _connection(arn: str, status: str) -> Document:
    return {"ConnectionArn": arn, "ConnectionName": "github", "ProviderType": "GitHub", "ConnectionStatus": status}


def _summary(name: str, more: Document) -> Document:
    return _project(name) | {key: value for key, value in more.items() if key == "ProjectStatus"}


def _project(name: str) -> Document:
    return {
        "ProjectName": name,
        "ProjectId": f"p-{name}",
        "ProjectArn": f"arn:aws:sagemaker:{REGION}:{NUMBER}:project/{name}",
        "ProjectStatus": "CreateCompleted",
        "CreationTime": "2026-01-02T03:04:05Z",
    }
