"""What each role may do: what docs/github.md says that its commands ask for, of this project, and nothing beyond."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.deployment.names import versioned_name
from tests.iam.evaluator import Policy, Request, actions, allows, matches
from tests.project_template.conftest import ALL_CODEBUILD, ALL_GITHUB, CODEBUILD, GITHUB, NAME
from tests.project_template.identities import ACCOUNT, REGION
from tests.project_template.stack import INSTALL, TEMPLATE, Stack
from tests.workflows.policies import documents

BUCKET = f"arn:aws:s3:::ml-project-p-abc123-{ACCOUNT}-{REGION}"
ANY = re.compile(r'^ *Resource: "\*"(?P<reason> # .{8,})?$', re.MULTILINE)
OF_A_KIND = re.compile(r"^ *(?:Resource: |- )!Sub arn:\S*\$\{AWS::AccountId\}:[a-z-]+[:/]\*$", re.MULTILINE)
# What builds do beyond what jobs of GitHub do: source, log, artifacts, network, test report.
OF_BUILDS = {"codebuild", "codeconnections", "ec2", "logs"}
ARTIFACTS = {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:PutObject"}
KEYS = {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}


def arn(resource: str, service: str = "sagemaker") -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def statements(stack: Stack) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the statements of all roles, with the role."""
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in stack.policy(role)["Statement"]:
            yield role, statement


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize("file", [TEMPLATE, INSTALL], ids=lambda file: file.stem)
def test_what_is_about_everything_has_its_reason_beside_it(file: Path) -> None:
    found = list(ANY.finditer(file.read_text()))
    assert found
    assert all(each["reason"] for each in found)


@pytest.mark.parametrize("file", [TEMPLATE, INSTALL], ids=lambda file: file.stem)
def test_what_is_about_all_of_a_kind_has_its_reason_above_it(file: Path) -> None:
    text = file.read_text()
    for found in OF_A_KIND.finditer(text):
        statement = text[: found.start()].rpartition("Sid: ")[2]
        assert "# " in statement, found[0]


def test_no_role_is_an_administrator(stack: Stack, installed: Stack) -> None:
    for role, statement in [*statements(stack), *statements(installed)]:
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            assert name.strip("*"), f"{role}: {action}"
            assert "*" not in name or service == "s3", f"{role}: {action}"


@pytest.mark.parametrize(
    ("role", "title", "placeholders"),
    [
        ("BuildRole", "Permissions", {}),
        ("StagingRole", "Permissions of a stage", {"STAGE": "staging"}),
        ("ProductionRole", "Permissions of a stage", {"STAGE": "production"}),
        ("ApproveRole", "Approving from GitHub", {}),
        ("EndpointRole", "The role of the endpoints", {}),
    ],
)
def test_a_role_may_do_what_the_documentation_says_and_no_more(
    role: str, title: str, placeholders: dict[str, str]
) -> None:
    documented = documents(title, **placeholders)[0]
    # The project's bucket is there; for the default bucket of an account it may have to be made.
    beyond = {"s3:CreateBucket"}
    if role == "StagingRole":
        # Only production has alarms.
        beyond |= {action for action in actions(documented) if action.startswith("cloudwatch:")}
    assert actions(Stack(TEMPLATE, GITHUB).policy(role)) == actions(documented) - beyond


@pytest.mark.parametrize("role", ["BuildRole", "StagingRole", "ProductionRole"])
def test_a_build_may_do_the_same_and_what_builds_need(role: str) -> None:
    job, build = (actions(Stack(TEMPLATE, form).policy(role)) for form in (ALL_GITHUB, ALL_CODEBUILD))
    assert job < build
    assert {action for action in build - job if action.partition(":")[0] not in OF_BUILDS} <= ARTIFACTS | KEYS


def test_the_build_of_a_pull_request_touches_nothing_of_sagemaker() -> None:
    may = actions(Stack(TEMPLATE, ALL_CODEBUILD).policy("PullRequestRole"))
    assert {action.partition(":")[0] for action in may} == {"codeconnections", "ec2", "logs"}


def test_a_role_is_passed_by_who_starts_its_work_and_to_sagemaker_only(stack: Stack) -> None:
    passed = {(role, statement["Resource"]) for role, statement in statements(stack) if is_passing(statement)}
    pipeline, endpoint = stack.arn("PipelineExecutionRole"), stack.arn("EndpointRole")
    assert passed == {
        ("BuildRole", pipeline),
        ("PipelineExecutionRole", pipeline),
        ("StagingRole", endpoint),
        ("ProductionRole", endpoint),
    }
    for role, resource in passed:
        for service, may in (("sagemaker.amazonaws.com", True), ("ec2.amazonaws.com", False)):
            asked = Request("iam:PassRole", resource, {"iam:PassedToService": service})
            assert allows(stack.policy(role), asked) == may


def is_passing(statement: Mapping[str, Any]) -> bool:
    return any(matches(action, "iam:PassRole") for action in listed(statement["Action"]))


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("BuildRole", "sagemaker:StartPipelineExecution", arn("pipeline/other-p-xyz")),
        ("BuildRole", "sagemaker:UpdatePipeline", arn(f"pipeline/{NAME}-2")),
        ("BuildRole", "sagemaker:StopPipelineExecution", arn("pipeline/other-p-xyz/execution/1")),
        ("BuildRole", "sagemaker:DescribeModelPackage", arn("model-package/other-p-xyz/1")),
        ("BuildRole", "s3:PutObject", "arn:aws:s3:::ml-project-p-xyz-111122223333-us-east-1/a"),
        ("BuildRole", "s3:PutObject", f"{BUCKET}/data-capture/a"),
        ("PipelineExecutionRole", "s3:PutObject", f"{BUCKET}/pipelines/{NAME}/definitions/a.json"),
        ("PipelineExecutionRole", "sagemaker:CreateModelPackage", arn("model-package/other-p-xyz/1")),
        ("PipelineExecutionRole", "sagemaker:UpdateModelPackage", arn(f"model-package/{NAME}/1")),
        ("PipelineExecutionRole", "sagemaker:CreateModel", arn(f"model/{NAME}-v1-0")),
        ("StagingRole", "sagemaker:UpdateEndpoint", arn(f"endpoint/{NAME}-production")),
        ("StagingRole", "sagemaker:CreateEndpointConfig", arn(f"endpoint-config/{NAME}-production-v1")),
        ("StagingRole", "cloudwatch:PutMetricAlarm", arn(f"alarm:{NAME}-production-errors", "cloudwatch")),
        ("ProductionRole", "sagemaker:DeleteEndpoint", arn(f"endpoint/{NAME}-staging")),
        ("ProductionRole", "sagemaker:CreateModel", arn("model/other-p-xyz-v1-0")),
        ("ProductionRole", "s3:GetObject", f"{BUCKET}/{NAME}/models/job/output/model.tar.gz"),
        ("ProductionRole", "s3:PutObject", f"{BUCKET}/{NAME}/runs/1/labelled.csv"),
        ("EndpointRole", "s3:GetObject", f"{BUCKET}/{NAME}/runs/1/labelled.csv"),
        ("EndpointRole", "s3:PutObject", f"{BUCKET}/{NAME}/models/job/output/model.tar.gz"),
    ],
)
def test_a_role_cannot_touch_what_is_not_its_own(role: str, action: str, resource: str) -> None:
    assert not allows(Stack(TEMPLATE, GITHUB).policy(role), Request(action, resource))


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("BuildRole", "sagemaker:CreatePipeline", arn(f"pipeline/{NAME}")),
        ("BuildRole", "sagemaker:ListPipelineExecutionSteps", arn(f"pipeline/{NAME}/execution/abc")),
        ("BuildRole", "sagemaker:DescribeProcessingJob", arn("processing-job/pipelines-abc-evaluate-123")),
        ("BuildRole", "s3:PutObject", f"{BUCKET}/{NAME}/code/0/train.py"),
        ("BuildRole", "s3:PutObject", f"{BUCKET}/pipelines/{NAME}/definitions/0.json"),
        ("BuildRole", "logs:GetLogEvents", arn("log-group:/aws/sagemaker/TrainingJobs:log-stream:a/b", "logs")),
        ("PipelineExecutionRole", "sagemaker:CreateTrainingJob", arn("training-job/pipelines-abc-train-123")),
        ("PipelineExecutionRole", "s3:GetObject", f"{BUCKET}/{NAME}/data/0/claims.csv"),
        (
            "PipelineExecutionRole",
            "ecr:BatchGetImage",
            "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost",
        ),
        ("StagingRole", "sagemaker:CreateModel", arn(f"model/{NAME}-v7-0a1b2c3d")),
        ("ProductionRole", "cloudwatch:PutMetricAlarm", arn(f"alarm:{NAME}-production-errors", "cloudwatch")),
        ("ProductionRole", "s3:GetObject", f"{BUCKET}/{NAME}/runs/abc/Preprocess/labelled/labelled.csv"),
        ("EndpointRole", "s3:GetObject", f"{BUCKET}/{NAME}/models/job/output/model.tar.gz"),
        ("EndpointRole", "s3:PutObject", f"{BUCKET}/data-capture/{NAME}-production/a.jsonl"),
    ],
)
def test_a_role_can_do_its_work(role: str, action: str, resource: str) -> None:
    assert allows(Stack(TEMPLATE, GITHUB).policy(role), Request(action, resource))


@pytest.mark.parametrize(
    ("role", "approval", "cycle", "is_allowed"),
    [
        ("BuildRole", "Rejected", None, True),
        ("BuildRole", "Approved", None, False),
        ("BuildRole", "Rejected", "production Approved", False),
        ("StagingRole", None, "staging Deployed", True),
        ("StagingRole", None, "production Deployed", False),
        ("StagingRole", "Approved", "staging Deployed", False),
        ("ProductionRole", None, "production RolledBack", True),
        ("ProductionRole", None, "production Approved", False),
        ("ApproveRole", "Approved", None, True),
        ("ApproveRole", None, "production Approved", True),
        ("ApproveRole", None, "production Deployed", False),
        ("ApproveRole", "Approved", "production Approved", False),
    ],
)
def test_nobody_says_of_a_model_what_is_for_others_to_say(
    role: str, approval: str | None, cycle: str | None, is_allowed: bool
) -> None:
    context = {"sagemaker:ModelApprovalStatus": approval} if approval else {}
    if cycle:
        context["sagemaker:ModelLifeCycle:Stage"], context["sagemaker:ModelLifeCycle:StageStatus"] = cycle.split()
    asked = Request("sagemaker:UpdateModelPackage", arn(f"model-package/{NAME}/7"), context)
    assert allows(Stack(TEMPLATE, GITHUB).policy(role), asked) == is_allowed


@pytest.mark.parametrize("name", ["f", "fraud", "a" * 22, "a-" * 15 + "bc"])
@pytest.mark.parametrize("given_id", ["1", "p-idy6c3e1fiqj", "p-" + "i" * 12])
@pytest.mark.parametrize("version", [1, 99, 123456])
def test_a_stage_may_make_what_deploy_model_names_however_long_the_projects_name(
    name: str, given_id: str, version: int
) -> None:
    stack = Stack(TEMPLATE, {**GITHUB, "SageMakerProjectName": name, "SageMakerProjectId": given_id})
    group = stack.outputs["ProjectName"]
    for stage, role in (("staging", "StagingRole"), ("production", "ProductionRole")):
        config = versioned_name(group, f"-{stage}", version, {})
        model = versioned_name(group, "", version, {})
        assert allows(stack.policy(role), Request("sagemaker:CreateEndpointConfig", arn(f"endpoint-config/{config}")))
        assert allows(stack.policy(role), Request("sagemaker:CreateModel", arn(f"model/{model}")))


def test_a_build_writes_into_its_own_log_only() -> None:
    stack = Stack(TEMPLATE, CODEBUILD)
    groups = stack.of_type("AWS::Logs::LogGroup")
    for project in stack.of_type("AWS::CodeBuild::Project").values():
        (role,) = (name for name in stack.of_type("AWS::IAM::Role") if stack.arn(name) == project["ServiceRole"])
        for group in groups.values():
            name = group["LogGroupName"]
            asked = Request("logs:PutLogEvents", arn(f"log-group:{name}:log-stream:1", "logs"))
            is_own = name == project["LogsConfig"]["CloudWatchLogs"]["GroupName"]
            assert allows(stack.policy(role), asked) == is_own


def test_a_stage_may_give_the_key_to_services_of_aws_only(full_stack: Stack) -> None:
    for for_aws in ("true", "false"):
        asked = Request("kms:CreateGrant", full_stack.arn("Key"), {"kms:GrantIsForAWSResource": for_aws})
        assert allows(full_stack.policy("ProductionRole"), asked) == (for_aws == "true")


def test_events_start_this_projects_work_only(full_stack: Stack) -> None:
    policy = full_stack.policy("EventsRole")
    assert len(actions(policy)) == 1
    for rule in full_stack.of_type("AWS::Events::Rule").values():
        (target,) = rule["Targets"]
        assert may_start(policy, target["Arn"])
        assert not may_start(policy, target["Arn"].replace(NAME, "other-p-xyz"))


def may_start(policy: Policy, target: str) -> bool:
    return allows(policy, Request(next(iter(actions(policy))), target))


def test_the_wildcards_of_the_documentation_are_narrower_here(stack: Stack) -> None:
    everything = {
        action for _, each in statements(stack) if each["Resource"] == "*" for action in listed(each["Action"])
    }
    assert {action for action in everything if not action.startswith("ec2:Describe")} <= {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "sagemaker:ListModelPackages",
    }
