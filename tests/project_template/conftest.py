"""Stacks of the template in the forms that matter, and of what is installed once."""

import pytest

from tests.project_template.stack import INSTALL, TEMPLATE, Stack

PROJECT = {
    "SageMakerProjectName": "fraud",
    "SageMakerProjectId": "p-abc123",
    "RepositoryOwner": "acme",
    "RepositoryName": "fraud",
}
NAME = "fraud-p-abc123"
EMAIL = {"NotificationEmail": "ml@example.com", "MonthlyBudget": "100"}
NUMBERS = {"RepositoryOwnerId": "123", "RepositoryId": "456"}
TOKEN = {"GitHubTokenSecretName": "sagemaker-projects/github"}
CONNECTION = {"ConnectionArn": "arn:aws:codeconnections:us-east-1:111122223333:connection/0abc"}
VPC = {"VpcId": "vpc-0abc", "SubnetIds": "subnet-0abc,subnet-0abd", "SecurityGroupIds": "sg-0abc"}
BOUNDARY = {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/sagemaker-project-boundary-us-east-1"}
# The fewest parameters that each provider works with, and all of them.
GITHUB = {**PROJECT, "CiProvider": "github"}
CODEBUILD = {**PROJECT, "CiProvider": "codebuild", **CONNECTION}
OPTIONS = {**EMAIL, "EncryptionKey": "create", "RetrainSchedule": "rate(7 days)", **BOUNDARY}
ALL_GITHUB = {**GITHUB, **NUMBERS, **TOKEN, **VPC, **OPTIONS, "ProductionApproval": "registry"}
ALL_CODEBUILD = {**CODEBUILD, **VPC, **OPTIONS}
FORMS = {"github": GITHUB, "codebuild": CODEBUILD, "all of github": ALL_GITHUB, "all of codebuild": ALL_CODEBUILD}
STUDIO = "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole"
INSTALLED = {
    "StudioRoleArns": STUDIO,
    "ServiceCatalogTemplateUrl": "https://ml-templates.s3.us-east-1.amazonaws.com/template.yml",
}


@pytest.fixture(params=FORMS)
def stack(request: pytest.FixtureRequest) -> Stack:
    return Stack(TEMPLATE, FORMS[request.param])


@pytest.fixture(params=["all of github", "all of codebuild"])
def full_stack(request: pytest.FixtureRequest) -> Stack:
    return Stack(TEMPLATE, FORMS[request.param])


@pytest.fixture
def installed() -> Stack:
    return Stack(INSTALL, INSTALLED)
