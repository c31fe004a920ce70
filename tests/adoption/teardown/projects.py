"""Projects in an account of moto's: all that one makes, and what is there of it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore.config import Config
from moto.s3.models import s3_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

from pipelines.adoption.account import open_account
from pipelines.adoption.teardown.inventory import Inventory, take_inventory
from pipelines.adoption.teardown.names import Names
from pipelines.adoption.teardown.removal import remove
from pipelines.adoption.teardown.site import STACK_TAG, Site
from pipelines.adoption.teardown.things import Failure
from pipelines.delivery.attention import Attention
from pipelines.delivery.deployment.journal import Journal
from pipelines.delivery.deployment.names import versioned_name
from pipelines.delivery.deployment.tools import Tools
from pipelines.delivery.run import Site as Service
from tests.adoption.aws import NUMBER, REGION, MotoAws

ROLE = f"arn:aws:iam::{NUMBER}:role/service-role/sagemaker"
DEFAULT_BUCKET = f"sagemaker-{REGION}-{NUMBER}"
HASH = "0123abcd"
STACK_TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})

# What every session would read anew: the models of the services.
LOADER = botocore.loaders.create_loader()

Tag = dict[str, str]


class Session(boto3.Session):
    """A session that makes each client once, which takes its time."""

    def __init__(self) -> None:
        core = botocore.session.Session()
        core.register_component("data_loader", LOADER)
        core.set_default_client_config(Config(retries={"total_max_attempts": 1}))
        super().__init__(region_name=REGION, botocore_session=core)
        self._made: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:  # type: ignore[override]
        """Return the client of a service."""
        if service not in self._made:
            make: Any = super().client
            self._made[service] = make(service, **options)
        return self._made[service]


@dataclass
class Project:
    """A project by its name, in a bucket that is there, with the tags that all it makes gets."""

    aws: MotoAws
    session: Session
    name: str
    bucket: str = DEFAULT_BUCKET
    tags: tuple[Tag, ...] = ()

    def client(self, service: str) -> Any:
        """Return a client of the account."""
        return self.session.client(service)

    def neighbour(self, name: str) -> "Project":
        """Return another project of the account."""
        return Project(self.aws, self.session, name)

    def make(self) -> None:
        """Make everything: a version that serves in staging and in production, and what starts and watches it."""
        arn = self.register()
        self.run()
        for stage in ("staging", "production"):
            self.deploy(arn, stage)
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{self.name}-production-errors", **_alarm(f"{self.name}-production")
        )
        self.schedule()
        for prefix in (f"{self.name}/runs/1/", f"pipelines/{self.name}/", f"data-capture/{self.name}-production/"):
            self.put(f"{prefix}object")
        for stage in ("staging", "production"):
            self.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{self.name}-{stage}")
        self.client("logs").create_log_group(logGroupName=f"/aws/codebuild/sagemaker-{self.name}-build")

    def register(self, *, group_tags: tuple[Tag, ...] = ()) -> str:
        """Register a version and return its ARN."""
        client = self.client("sagemaker")
        tags = [*self.tags, *group_tags]
        client.create_model_package_group(ModelPackageGroupName=self.name, **({"Tags": tags} if tags else {}))
        specification = {
            "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{self.bucket}/{self.name}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        made = client.create_model_package(
            ModelPackageGroupName=self.name, ModelApprovalStatus="Approved", InferenceSpecification=specification
        )
        return str(made["ModelPackageArn"])

    def run(self) -> None:
        """Run the pipeline, which makes a model by a step of its own."""
        client = self.client("sagemaker")
        client.create_pipeline(
            PipelineName=self.name, PipelineDefinition="{}", RoleArn=ROLE, ClientRequestToken="0" * 32
        )
        arn = client.start_pipeline_execution(PipelineName=self.name)["PipelineExecutionArn"]
        model = f"pipelines-{arn.rpartition('/')[2]}-CreateModel-{HASH}"
        client.create_model(
            ModelName=model,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": "image"},
            Tags=[{"Key": "sagemaker:pipeline", "Value": self.name}],
        )

    def deploy(self, package: str, stage: str, *, endpoint: str | None = None) -> None:
        """Deploy a version as deploy-model does."""
        client, endpoint = self.client("sagemaker"), endpoint or f"{self.name}-{stage}"
        tags = [{"Key": "deploy-model:endpoint", "Value": endpoint}, {"Key": "deploy-model:stage", "Value": stage}]
        model, config = (versioned_name(self.name, end, 1, {"for": endpoint}) for end in ("", f"-{stage}"))
        tags += self.tags
        client.create_model(
            ModelName=model, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}], Tags=tags
        )
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2 if stage == "production" else 1,
            "InitialVariantWeight": 1.0,
        }
        client.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant], Tags=tags)
        client.create_endpoint(EndpointName=endpoint, EndpointConfigName=config, Tags=tags)

    def schedule(self) -> None:
        """Start the pipeline by a schedule and by a rule, and let another rule wait for approvals."""
        arn = f"arn:aws:sagemaker:{REGION}:{NUMBER}:pipeline/{self.name}"
        self.client("scheduler").create_schedule(
            Name=f"retrain-{self.name}",
            ScheduleExpression="rate(7 days)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": ROLE},
        )
        events = self.client("events")
        events.put_rule(Name=f"nightly-{self.name}", ScheduleExpression="rate(1 day)")
        events.put_targets(Rule=f"nightly-{self.name}", Targets=[{"Id": "1", "Arn": arn, "RoleArn": ROLE}])
        pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [self.name]}}
        events.put_rule(Name=f"approved-{self.name}", EventPattern=json.dumps(pattern))

    def put(self, key: str) -> None:
        """Put an object, in two versions and deleted where the bucket has versions."""
        s3 = self.client("s3")
        for text in ("first", "second"):
            s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def site(self, **more: Any) -> Site:
        """Return what a teardown of this project works with."""
        tools = Tools(Service(self.session, 0.001, stops_on_interrupt=False), Attention(), Journal(io.StringIO()))
        return Site(tools, open_account(self.session), Names(self.name, self.name, self.name, **more))

    def inventory(self, **more: Any) -> Inventory:
        """Return what a teardown finds."""
        return take_inventory(self.site(**more))

    def tear_down(self, **more: Any) -> list[Failure]:
        """Remove all, and return what failed."""
        site = self.site(**more)
        return remove(take_inventory(site), site.tools.journal)


def add_versioned_bucket(session: Session, name: str = DEFAULT_BUCKET, tags: tuple[Tag, ...] = ()) -> str:
    """Make a bucket that keeps versions."""
    s3 = session.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if tags:
        # S3 takes tags of CloudFormation's from CloudFormation only.
        s3_backends[NUMBER]["aws"].put_bucket_tagging(name, {tag["Key"]: tag["Value"] for tag in tags})
    return name


def add_stack(session: Session, name: str) -> Tag:
    """Make a stack, and return the tag that its resources have."""
    session.client("cloudformation").create_stack(StackName=name, TemplateBody=STACK_TEMPLATE)
    return {"Key": STACK_TAG, "Value": name}


def there(project: Project) -> set[tuple[str, str]]:
    """Return the kinds and names of all that is in the account, versions of objects too."""
    sagemaker, events = project.client("sagemaker"), project.client("events")
    found = {("endpoint", each["EndpointName"]) for each in sagemaker.list_endpoints()["Endpoints"]}
    found |= {("config", each["EndpointConfigName"]) for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    found |= {("model", each["ModelName"]) for each in sagemaker.list_models()["Models"]}
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    found |= {("group", each["ModelPackageGroupName"]) for each in groups}
    packages = sagemaker.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"]
    found |= {("package", each["ModelPackageArn"]) for each in packages}
    found |= {("pipeline", each["PipelineName"]) for each in sagemaker.list_pipelines()["PipelineSummaries"]}
    found |= {("alarm", each["AlarmName"]) for each in project.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    found |= {("schedule", each["Name"]) for each in project.client("scheduler").list_schedules()["Schedules"]}
    found |= {("rule", each["Name"]) for each in events.list_rules()["Rules"]}
    found |= {("log", each["logGroupName"]) for each in project.client("logs").describe_log_groups()["logGroups"]}
    return found | set(_objects(project))


def _objects(project: Project) -> Iterator[tuple[str, str]]:
    s3 = project.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        yield "bucket", bucket["Name"]
        for each in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", ()):
            yield "object", f"{bucket['Name']}/{each['Key']}@{each['VersionId']}"


def _alarm(endpoint: str) -> dict[str, Any]:
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


@contextmanager
def deletions_of_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let moto delete what it cannot: model packages, and their groups once they are empty."""

    def delete_model_package(response: Any) -> str:
        arn = response._get_param("ModelPackageName")
        return _delete(response.sagemaker_backend.model_packages, arn)

    def delete_model_package_group(response: Any) -> str:
        name, backend = response._get_param("ModelPackageGroupName"), response.sagemaker_backend
        assert not any(f":model-package/{name}/" in arn for arn in backend.model_packages)
        return _delete(backend.model_package_groups, name)

    for operation in (delete_model_package, delete_model_package_group):
        monkeypatch.setattr(SageMakerResponse, operation.__name__, operation, raising=False)
    yield


def _delete(kept: dict[str, Any], name: str) -> str:
    if name not in kept:
        raise ValidationError(message=f"{name} does not exist.")
    del kept[name]
    return "{}"
