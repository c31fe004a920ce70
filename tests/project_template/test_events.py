"""From an approval, or by the clock, to the workflow or the build that it is to start, and no further."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.project_template.conftest import (
    ALL_CODEBUILD,
    ALL_GITHUB,
    CODEBUILD,
    EMAIL,
    GITHUB,
    NAME,
    TOKEN,
)
from tests.project_template.identities import ACCOUNT, REGION
from tests.project_template.stack import TEMPLATE, Stack
from tests.workflows.eventbridge import matches, state_change, transformed
from tests.workflows.files import BUILDSPEC, DEPLOY_BUILDSPEC, REPOSITORY, read, steps
from tests.workflows.policies import documents

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{NAME}/7"
REVIEWED = {**GITHUB, **TOKEN}
REGISTERED = {**REVIEWED, "ProductionApproval": "registry"}
# What CodeBuild tells its builds, and what the buildspec makes itself or has defaults for.
OF_CODEBUILD = {"AWS_REGION"}
OPTIONAL = {"RUN_KEY", "INSTANCE_TYPE", "CANARY_PERCENT", "BAKE_SECONDS", "CAPTURE_URI"}
DAY = 24 * 60 * 60


def package(approval: str = "Approved", **members: Any) -> dict[str, Any]:
    return {
        "ModelPackageArn": ARN,
        "ModelPackageGroupName": NAME,
        "ModelPackageVersion": 7,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": approval,
        **members,
    }


def cycle(stage: str, status: str) -> dict[str, Any]:
    return {"ModelLifeCycle": {"Stage": stage, "StageStatus": status}}


APPROVED = state_change(package(), "ModelApprovalStatus")
FOR_PRODUCTION = state_change(package(**cycle("production", "Approved")), "ModelLifeCycle")
IRRELEVANT = {
    "made": state_change(package("PendingManualApproval")),
    "made as approved, before it is compared": state_change(package()),
    "rejected": state_change(package("Rejected"), "ModelApprovalStatus"),
    "of another group": state_change(package(ModelPackageGroupName="other"), "ModelApprovalStatus"),
    "deployed to staging": state_change(package(**cycle("staging", "Deployed")), "ModelLifeCycle"),
    "deployed to production": state_change(package(**cycle("production", "Deployed")), "ModelLifeCycle"),
    "approved for staging": state_change(package(**cycle("staging", "Approved")), "ModelLifeCycle"),
    "for production without being approved": state_change(
        package("Rejected", **cycle("production", "Approved")), "ModelLifeCycle"
    ),
}


def started(stack: Stack, event: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the targets that an event reaches, by ARN, and what they get."""
    rules = (rule for rule in stack.of_type("AWS::Events::Rule").values() if "EventPattern" in rule)
    reached = [rule["Targets"] for rule in rules if matches(rule["EventPattern"], event)]
    return [(target["Arn"], transformed(target, event)) for targets in reached for target in targets]


def test_an_approval_starts_the_workflow_for_both_stages_where_reviewers_wait() -> None:
    stack = Stack(TEMPLATE, REVIEWED)
    inputs = {"model-package-arn": ARN}
    assert started(stack, APPROVED) == [(stack.arn("DeployDestination"), {"ref": "main", "inputs": inputs})]
    assert started(stack, FOR_PRODUCTION) == []


def test_an_approval_goes_up_to_staging_where_the_registry_decides_about_production() -> None:
    stack = Stack(TEMPLATE, REGISTERED)
    inputs = {"model-package-arn": ARN}
    destination = stack.arn("DeployDestination")
    assert started(stack, APPROVED) == [(destination, {"ref": "main", "inputs": {**inputs, "stage": "staging"}})]
    assert started(stack, FOR_PRODUCTION) == [(destination, {"ref": "main", "inputs": inputs})]


def test_each_approval_starts_the_build_of_its_stage() -> None:
    stack = Stack(TEMPLATE, CODEBUILD)
    override = {"environmentVariablesOverride": [{"name": "MODEL_PACKAGE_ARN", "type": "PLAINTEXT", "value": ARN}]}
    assert started(stack, APPROVED) == [(stack.arn("StagingBuildProject"), override)]
    assert started(stack, FOR_PRODUCTION) == [(stack.arn("ProductionBuildProject"), override)]


@pytest.mark.parametrize("event", IRRELEVANT.values(), ids=IRRELEVANT)
def test_nothing_else_starts_anything(full_stack: Stack, event: Mapping[str, Any]) -> None:
    assert started(full_stack, event) == []


def test_the_patterns_are_those_of_the_documentation(full_stack: Stack) -> None:
    rules = full_stack.of_type("AWS::Events::Rule")
    documented = documents("From the approval to the workflow", GROUP=NAME)[0]
    assert rules["ApprovedRule"]["EventPattern"] == documented
    documented = documents("Production without reviewers", GROUP=NAME)[0]
    assert rules["ProductionApprovedRule"]["EventPattern"] == documented


@pytest.mark.parametrize(
    ("destination", "workflow"), [("DeployDestination", "deploy"), ("RetrainDestination", "retrain")]
)
def test_a_destination_is_a_workflow_that_can_be_dispatched(destination: str, workflow: str) -> None:
    stack = Stack(TEMPLATE, ALL_GITHUB)
    properties = stack.resources[destination]["Properties"]
    address = f"https://api.github.com/repos/acme/fraud/actions/workflows/{workflow}.yml/dispatches"
    assert (properties["HttpMethod"], properties["InvocationEndpoint"]) == ("POST", address)
    assert "workflow_dispatch" in read(REPOSITORY / ".github" / "workflows" / f"{workflow}.yml")[True]


def test_what_a_workflow_gets_are_inputs_that_it_has() -> None:
    declared = read(REPOSITORY / ".github" / "workflows" / "deploy.yml")[True]["workflow_dispatch"]["inputs"]
    for form in (REVIEWED, REGISTERED):
        for event in (APPROVED, FOR_PRODUCTION):
            for _, message in started(Stack(TEMPLATE, form), event):
                assert set(message["inputs"]) <= set(declared)
                assert message["inputs"].get("stage", "production") in declared["stage"]["options"]


def test_the_token_is_read_from_its_secret_and_stands_nowhere() -> None:
    connection = Stack(TEMPLATE, REVIEWED).resources["GitHubConnection"]["Properties"]
    key = connection["AuthParameters"]["ApiKeyAuthParameters"]
    assert key["ApiKeyName"] == "Authorization"
    assert key["ApiKeyValue"] == "Bearer {{resolve:secretsmanager:sagemaker-projects/github:SecretString:token}}"


def test_without_a_token_nothing_waits_for_events() -> None:
    stack = Stack(TEMPLATE, {**GITHUB, **EMAIL})
    assert not any(
        each["Type"].startswith(("AWS::Events::", "AWS::SQS::", "AWS::SNS::")) for each in stack.resources.values()
    )


def test_retraining_is_a_workflow_without_inputs_or_a_build_with_a_key_of_its_own() -> None:
    (target,) = Stack(TEMPLATE, ALL_GITHUB).resources["RetrainRule"]["Properties"]["Targets"]
    assert json.loads(target["Input"]) == {"ref": "main"}
    stack = Stack(TEMPLATE, ALL_CODEBUILD)
    (target,) = stack.resources["RetrainRule"]["Properties"]["Targets"]
    assert target["Arn"] == stack.arn("BuildProject")
    assert transformed(target, {"id": "event-1"}) == {
        "environmentVariablesOverride": [{"name": "RUN_KEY", "type": "PLAINTEXT", "value": "event-1"}]
    }


def test_what_is_not_taken_for_a_day_is_kept_and_somebody_is_told(full_stack: Stack) -> None:
    queue = full_stack.arn("EventsQueue")
    for rule in full_stack.of_type("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": queue}
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == DAY
    alarm = full_stack.resources["EventsAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue.rpartition(":")[2]}]
    assert alarm["AlarmActions"] == [full_stack.arn("AlarmTopic")]
    assert full_stack.resources["AlarmTopic"]["Properties"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": "ml@example.com"}
    ]
    assert full_stack.resources["EventsQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * DAY


@pytest.mark.parametrize(
    ("project", "buildspec", "given"),
    [
        ("BuildProject", BUILDSPEC, set()),
        ("StagingBuildProject", DEPLOY_BUILDSPEC, {"MODEL_PACKAGE_ARN"}),
        ("ProductionBuildProject", DEPLOY_BUILDSPEC, {"MODEL_PACKAGE_ARN"}),
    ],
)
def test_a_build_has_the_variables_that_its_buildspec_reads(project: str, buildspec: Any, given: set[str]) -> None:
    stack = Stack(TEMPLATE, ALL_CODEBUILD)
    properties = stack.resources[project]["Properties"]
    assert properties["Source"]["BuildSpec"] == buildspec.name
    values = {each["Name"]: each["Value"] for each in properties["Environment"]["EnvironmentVariables"]}
    read_ones = set(re.findall(r"\$\{?([A-Z]\w+)", buildspec.read_text()))
    assert read_ones - OF_CODEBUILD - OPTIONAL - given <= set(values)
    # The names of the project are for the tags, too.
    assert set(values) - {"SAGEMAKER_PROJECT_ID", "SAGEMAKER_PROJECT_NAME"} <= read_ones
    assert values["SAGEMAKER_PROJECT_NAME_ID"] == NAME


def test_one_build_deploys_to_a_stage_at_a_time() -> None:
    projects = Stack(TEMPLATE, CODEBUILD).of_type("AWS::CodeBuild::Project")
    assert {name for name, each in projects.items() if each.get("ConcurrentBuildLimit") == 1} == {
        "StagingBuildProject",
        "ProductionBuildProject",
    }


def test_commits_on_main_and_pull_requests_to_it_are_built_and_nothing_else() -> None:
    projects = Stack(TEMPLATE, CODEBUILD).of_type("AWS::CodeBuild::Project")
    hooks = {name: each["Triggers"] for name, each in projects.items() if "Triggers" in each}
    filters = {
        name: [{each["Type"]: each["Pattern"] for each in group} for group in hook["FilterGroups"]]
        for name, hook in hooks.items()
    }
    assert filters == {
        "BuildProject": [{"EVENT": "PUSH", "HEAD_REF": "^refs/heads/main$"}],
        "PullRequestBuildProject": [
            {
                "EVENT": "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, PULL_REQUEST_REOPENED",
                "BASE_REF": "^refs/heads/main$",
            }
        ],
    }


def test_strangers_pull_requests_are_built_after_a_look_at_them() -> None:
    hook = Stack(TEMPLATE, CODEBUILD).resources["PullRequestBuildProject"]["Properties"]["Triggers"]
    assert hook["PullRequestBuildPolicy"]["RequiresCommentApproval"] == "FORK_PULL_REQUESTS"


def test_a_build_of_a_pull_request_does_what_the_workflow_for_pull_requests_does() -> None:
    stack = Stack(TEMPLATE, CODEBUILD)
    file = REPOSITORY / stack.resources["PullRequestBuildProject"]["Properties"]["Source"]["BuildSpec"]
    built = [command for phase in read(file)["phases"].values() for command in phase["commands"]]
    workflow = [
        step["run"] for step in steps(REPOSITORY / ".github" / "workflows" / "pull-request.yml") if "run" in step
    ]
    calls = [command for command in workflow if command.startswith(("make ", ".venv/bin/"))]
    assert sorted(calls) == sorted(command for command in built if not command.startswith("if "))


def test_builds_run_in_the_vpc_that_is_given() -> None:
    for project in Stack(TEMPLATE, ALL_CODEBUILD).of_type("AWS::CodeBuild::Project").values():
        assert project["VpcConfig"] == {
            "VpcId": "vpc-0abc",
            "Subnets": ["subnet-0abc", "subnet-0abd"],
            "SecurityGroupIds": ["sg-0abc"],
        }
    for project in Stack(TEMPLATE, CODEBUILD).of_type("AWS::CodeBuild::Project").values():
        assert "VpcConfig" not in project
