"""What services ask for as a project's roles, which no recorded call shows: by what they do for a run."""

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.iam.calls import ACCOUNT
from tests.iam.evaluator import Request
from tests.workflows.account import REGION
from tests.workflows.codebuild import Build

PULLED = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LOGGED = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
LOOKED_UP = (
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
# By the part of a job's ARN: its action's ending, and its log.
JOBS = {
    "hyper-parameter-tuning-job": ("HyperParameterTuningJob", "TrainingJobs"),
    "processing-job": ("ProcessingJob", "ProcessingJobs"),
    "training-job": ("TrainingJob", "TrainingJobs"),
}


class Bucket:
    """The objects of a bucket, and the key that encrypts them."""

    def __init__(self, client: Any, name: str, key: str | None) -> None:
        self._name = name
        self._key = key
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=name)
        self._keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, uri: str) -> Iterator[Request]:
        """Yield what it takes to read an object, or all below a prefix."""
        yield Request("s3:ListBucket", f"arn:aws:s3:::{self._name}")
        for arn in self._below(uri):
            yield Request("s3:GetObject", arn)
            yield from self._with_key("kms:Decrypt")

    def write(self, uri: str) -> Iterator[Request]:
        """Yield what it takes to write the objects that were written there."""
        for arn in self._below(uri):
            yield Request("s3:PutObject", arn)
            yield from self._with_key("kms:GenerateDataKey")

    def add(self, uri: str) -> Iterator[Request]:
        """Yield what it takes to write an object that is not there yet."""
        yield Request("s3:PutObject", f"arn:aws:s3:::{uri.removeprefix('s3://')}")
        yield from self._with_key("kms:GenerateDataKey")

    def _below(self, uri: str) -> Iterator[str]:
        prefix = uri.removeprefix(f"s3://{self._name}/")
        found = [key for key in self._keys if key.startswith(prefix)]
        return (f"arn:aws:s3:::{self._name}/{key}" for key in found)

    def _with_key(self, action: str) -> Iterator[Request]:
        if self._key:
            yield Request(action, self._key)


def of_job(arn: str, description: Mapping[str, Any], bucket: Bucket) -> Iterator[Request]:
    """Yield what a job of a pipeline takes: its start by the service, its image, files, log and metrics."""
    kind, name = arn.rpartition(":")[2].split("/")
    ending, group = JOBS[kind]
    for verb in ("Create", "Describe"):
        yield Request(f"sagemaker:{verb}{ending}", arn)
    yield Request("sagemaker:AddTags", arn)
    yield Request("iam:PassRole", _role(description), TO_SAGEMAKER)
    yield from of_container(f"/aws/sagemaker/{group}", name, f"/aws/sagemaker/{group}")
    for member, text in _texts(description):
        if ".dkr.ecr." in text:
            yield from of_image(text)
        elif text.startswith("s3://"):
            yield from bucket.write(text) if "Output" in member or "Artifacts" in member else bucket.read(text)


def of_execution(arn: str, jobs: list[str]) -> Iterator[Request]:
    """Yield what keeps an execution as a trial of the experiment that is called as its pipeline."""
    place, _, rest = arn.partition(":pipeline/")
    pipeline, _, execution = rest.partition("/execution/")
    experiment, trial = f"{place}:experiment/{pipeline}", f"{place}:experiment-trial/{execution}"
    for created in (Request("sagemaker:CreateExperiment", experiment), Request("sagemaker:CreateTrial", trial)):
        yield created
        yield Request("sagemaker:AddTags", created.resource)
    yield Request("sagemaker:CreateTrial", experiment)
    for job in jobs:
        component = f"{place}:experiment-trial-component/{posixpath.basename(job).lower()}-aws"
        for resource in (trial, component):
            yield Request("sagemaker:AssociateTrialComponent", resource)


def of_package(package: Mapping[str, Any]) -> Iterator[Request]:
    """Yield what registering a model takes."""
    approval = {"sagemaker:ModelApprovalStatus": package["ModelApprovalStatus"]}
    group = package["ModelPackageArn"].replace(":model-package/", ":model-package-group/").rpartition("/")[0]
    for resource in (package["ModelPackageArn"], group):
        yield Request("sagemaker:CreateModelPackage", resource, approval)
    yield Request("sagemaker:AddTags", package["ModelPackageArn"])


def of_model(model: Mapping[str, Any]) -> Iterator[Request]:
    """Yield what a pipeline's step for a model takes."""
    yield Request("sagemaker:CreateModel", model["ModelArn"])
    yield Request("sagemaker:AddTags", model["ModelArn"])
    yield Request("iam:PassRole", model["ExecutionRoleArn"], TO_SAGEMAKER)


def of_container(group: str, stream: str, namespace: str) -> Iterator[Request]:
    """Yield what the log and the metrics of a container take."""
    for action in LOGGED:
        yield Request(action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}/algo-1")
    yield Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace})


def network_of(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the VpcConfig of a job, which stands elsewhere for each kind."""
    owner = job.get("NetworkConfig") or job.get("TrainingJobDefinition") or job
    network: Mapping[str, Any] = owner["VpcConfig"]
    return network


def of_network(network: Mapping[str, Any], vpc: str, service: str | None = None) -> Iterator[Request]:
    """Yield what it takes to make network interfaces in a VPC and to remove them, for a service if it names itself."""
    for action in LOOKED_UP:
        yield Request(f"ec2:{action}", "*")
    place = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    inside, interface = {"ec2:Vpc": f"{place}:vpc/{vpc}"}, f"{place}:network-interface/eni-0abc"
    yield Request("ec2:CreateNetworkInterface", interface)
    for subnet in network["Subnets"]:
        yield Request("ec2:CreateNetworkInterface", f"{place}:subnet/{subnet}", {"ec2:SubnetID": subnet, **inside})
    for group in network["SecurityGroupIds"]:
        asked = {"ec2:SecurityGroupID": group, **inside}
        yield Request("ec2:CreateNetworkInterface", f"{place}:security-group/{group}", asked)
    receiver = {"ec2:AuthorizedService": f"{service}.amazonaws.com"} if service else {}
    yield Request("ec2:CreateNetworkInterfacePermission", interface, {**inside, **receiver})
    yield Request("ec2:DeleteNetworkInterface", interface, inside)
    if not service:
        yield Request("ec2:DescribeVpcEndpoints", "*")
        yield Request("ec2:DeleteNetworkInterfacePermission", interface, inside)


def of_image(image: str) -> Iterator[Request]:
    """Yield what it takes to pull an image."""
    registry, _, rest = image.partition("/")
    account, _, _, region, *_ = registry.split(".")
    yield Request("ecr:GetAuthorizationToken", "*")
    for action in PULLED:
        yield Request(action, f"arn:aws:ecr:{region}:{account}:repository/{rest.partition(':')[0]}")


def of_endpoint(config: Mapping[str, Any], endpoint: str, data: str, bucket: Bucket) -> Iterator[Request]:
    """Yield what an endpoint takes while it serves the model of some data, images apart."""
    yield from (asked for asked in bucket.read(data) if asked.action != "s3:ListBucket")
    yield from of_container(f"/aws/sagemaker/Endpoints/{endpoint}", "AllTraffic", "/aws/sagemaker/Endpoints")
    # It looks at those of a deployment; which ones, IAM is not told.
    yield Request("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*")
    if capture := config.get("DataCaptureConfig"):
        yield from bucket.add(f"{capture['DestinationS3Uri']}/{endpoint}/AllTraffic/1.jsonl")


def of_build(build: Build, project: Mapping[str, Any], *, connection: str, key: str | None) -> Iterator[Request]:
    """Yield what CodeBuild takes for a build: source, log, artifacts and reports."""
    for action in ("GetConnection", "GetConnectionToken", "UseConnection"):
        yield Request(f"codeconnections:{action}", connection)
    place = f"{REGION}:{ACCOUNT}"
    for action in ("CreateLogStream", "PutLogEvents"):
        group = project["LogsConfig"]["CloudWatchLogs"]["GroupName"]
        yield Request(f"logs:{action}", f"arn:aws:logs:{place}:log-group:{group}:log-stream:1")
    if network := project.get("VpcConfig"):
        yield from of_network(network, network["VpcId"], "codebuild")
    if build.artifacts:
        kept = project["Artifacts"]
        yield Request("s3:PutObject", f"arn:aws:s3:::{kept['Location']}/{kept['Path']}/1/{project['Name']}")
        for action in ("GetBucketAcl", "GetBucketLocation"):
            yield Request(f"s3:{action}", f"arn:aws:s3:::{kept['Location']}")
        if key:
            yield from (Request(f"kms:{action}", key) for action in ("Decrypt", "GenerateDataKey"))
    for name, files in build.reports.items():
        if any(map(Path.is_file, files)):
            for action in ("BatchPutTestCases", "CreateReport", "CreateReportGroup", "UpdateReport"):
                group = f"arn:aws:codebuild:{place}:report-group/{project['Name']}-{name}"
                yield Request(f"codebuild:{action}", group)


def _role(description: Mapping[str, Any]) -> str:
    # A tuning job's is its trials'.
    owner = description.get("TrainingJobDefinition", description)
    return str(owner["RoleArn"])


def _texts(value: Any, member: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of a document, with the members that they stand in."""
    if isinstance(value, str):
        yield member, value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _texts(entry, f"{member}.{name}")
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, member)
