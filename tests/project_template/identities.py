"""What CloudFormation would call the resources of a stack: names, ARNs and what a Ref to one returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT, REGION, PARTITION = "111122223333", "us-east-1", "aws"
STACK = "SP-fraud"
KEY_ID = "11111111-2222-3333-4444-555555555555"
SUFFIX = "0A1B2C3D4E5F"


@dataclass(frozen=True)
class Form:
    """The ARN of a type's resources, the property with their names, and whether a Ref gives the ARN."""

    arn: str = ""
    name: str = ""
    refers_by_arn: bool = False


def _local(service: str, resource: str) -> str:
    return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}"


FORMS = {
    "AWS::CloudWatch::Alarm": Form(_local("cloudwatch", "alarm:{name}"), "AlarmName"),
    "AWS::CodeBuild::Project": Form(_local("codebuild", "project/{name}"), "Name"),
    "AWS::CodeBuild::ReportGroup": Form(_local("codebuild", "report-group/{name}"), "Name", True),
    "AWS::Events::ApiDestination": Form(_local("events", f"api-destination/{{name}}/{KEY_ID}"), "Name"),
    "AWS::Events::Connection": Form(_local("events", f"connection/{{name}}/{KEY_ID}"), "Name"),
    "AWS::Events::Rule": Form(_local("events", "rule/{name}"), "Name"),
    "AWS::IAM::ManagedPolicy": Form(f"arn:{PARTITION}:iam::{ACCOUNT}:policy/{{name}}", "ManagedPolicyName", True),
    "AWS::IAM::OIDCProvider": Form(
        f"arn:{PARTITION}:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com", refers_by_arn=True
    ),
    "AWS::IAM::Role": Form(f"arn:{PARTITION}:iam::{ACCOUNT}:role{{path}}{{name}}", "RoleName"),
    "AWS::KMS::Key": Form(_local("kms", f"key/{KEY_ID}")),
    "AWS::Logs::LogGroup": Form(_local("logs", "log-group:{name}:*"), "LogGroupName"),
    "AWS::S3::Bucket": Form(f"arn:{PARTITION}:s3:::{{name}}", "BucketName"),
    "AWS::SNS::Topic": Form(_local("sns", "{name}"), "TopicName", True),
    "AWS::SQS::Queue": Form(_local("sqs", "{name}"), "QueueName"),
    "AWS::SageMaker::ModelPackageGroup": Form(
        _local("sagemaker", "model-package-group/{name}"), "ModelPackageGroupName", True
    ),
    "AWS::ServiceCatalog::CloudFormationProduct": Form(),
    "AWS::ServiceCatalog::Portfolio": Form(),
}


def identify(logical_id: str, kind: str, properties: Mapping[str, Any], attribute: str | None) -> str:
    """Return what a reference to a resource, or to an attribute of it, stands for."""
    form = FORMS[kind]
    name = str(properties.get(form.name, f"{STACK}-{logical_id}-{SUFFIX}"))
    arn = form.arn.format(name=name, path=properties.get("Path", "/"))
    if attribute == "Arn" or (attribute is None and form.refers_by_arn):
        return arn
    if attribute in {None, form.name}:
        return name
    raise KeyError(f"{kind} has no {attribute} that is known here")
