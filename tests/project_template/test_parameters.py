"""What a project is made with, and what is refused before anything is made."""

import shlex
from collections.abc import Mapping

import pytest

from tests.docs.pages import blocks
from tests.project_template.conftest import CODEBUILD, EMAIL, GITHUB, INSTALLED, NUMBERS, PROJECT, TOKEN, VPC
from tests.project_template.stack import FOLDER, INSTALL, TEMPLATE, Refused, Stack, load

PARAMETERS = load(TEMPLATE)["Parameters"]
METADATA = load(TEMPLATE)["Metadata"]


@pytest.mark.parametrize("name", ["fraud", "f", "fraud-detection-2", "a" * 32])
def test_a_project_has_a_name_that_its_resources_can_have(name: str) -> None:
    stack = Stack(TEMPLATE, {**GITHUB, "SageMakerProjectName": name})
    assert stack.outputs["ProjectName"] == f"{name}-p-abc123"


@pytest.mark.parametrize("name", ["", "Fraud", "2fraud", "fraud_1", "fraud-", "a" * 33])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="SageMakerProjectName"):
        Stack(TEMPLATE, {**GITHUB, "SageMakerProjectName": name})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**PROJECT, "CiProvider": "codebuild"}, "CodeBuild needs ConnectionArn"),
        ({**GITHUB, **VPC, "SubnetIds": ""}, "VpcId needs SubnetIds"),
        ({**CODEBUILD, **VPC, "SecurityGroupIds": ""}, "VpcId needs SecurityGroupIds"),
        ({**GITHUB, "RepositoryId": "1"}, "RepositoryId needs RepositoryOwnerId"),
        ({**GITHUB, "RepositoryOwnerId": "1"}, "RepositoryOwnerId needs RepositoryId"),
        ({**GITHUB, "RetrainSchedule": "rate(7 days)"}, "RetrainSchedule needs GitHubTokenSecretName"),
        ({**GITHUB, "MonthlyBudget": "10"}, "MonthlyBudget needs NotificationEmail"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: Mapping[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        Stack(TEMPLATE, given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CiProvider", "jenkins"),
        ("ConnectionArn", "arn:aws:codestar-connections:us-east-1:111122223333:connection/0abc"),
        ("GitHubOidcProviderArn", "arn:aws:iam::111122223333:oidc-provider/evil.example.com"),
        ("GitHubTokenSecretName", "somebody-elses"),
        ("MonthlyBudget", "-1"),
        ("NotificationEmail", "nobody"),
        ("RepositoryId", "fraud"),
        ("RepositoryName", "fraud:environment"),
        ("RepositoryOwner", "acme/*"),
        ("RetrainSchedule", "weekly"),
    ],
)
def test_a_value_of_another_form_is_refused(name: str, value: str) -> None:
    with pytest.raises(Refused, match=name):
        Stack(TEMPLATE, {**GITHUB, name: value})


def test_what_only_looks_incomplete_is_taken() -> None:
    Stack(TEMPLATE, {**GITHUB, **NUMBERS, **TOKEN, **EMAIL, "RetrainSchedule": "cron(0 3 ? * MON *)"})
    Stack(TEMPLATE, {**GITHUB, **VPC})
    Stack(TEMPLATE, {**CODEBUILD, "RetrainSchedule": "rate(1 day)"})


def test_studio_asks_only_for_what_has_no_default() -> None:
    optional = {
        name for name, rule in METADATA["SagemakerTemplateParameterRules"].items() if rule == {"Optional": True}
    }
    assert optional == {name for name, form in PARAMETERS.items() if form.get("Default") == ""}


def test_every_parameter_stands_in_one_group_and_says_what_it_is() -> None:
    groups = METADATA["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [name for group in groups for name in group["Parameters"]]
    assert sorted(listed) == sorted(PARAMETERS)
    assert all(len(form["Description"]) > 15 for form in PARAMETERS.values())


@pytest.mark.parametrize("roles", ["", "somebody", "arn:aws:iam::111122223333:user/somebody"])
def test_projects_are_made_by_roles_only(roles: str) -> None:
    with pytest.raises(Refused, match="StudioRoleArns"):
        Stack(INSTALL, {**INSTALLED, "StudioRoleArns": roles})


def test_the_command_of_the_readme_makes_a_project() -> None:
    (command, *_) = blocks((FOLDER / "README.md").read_text(), "sh")
    words = shlex.split(command.replace("\\\n", " "))
    given = dict(word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :])
    numbers = {name: "1" for name, value in given.items() if value in {"OWNER_ID", "REPO_ID"}}
    assert Stack(TEMPLATE, {**given, **numbers}).outputs["ProjectName"] == "fraud-1"
    # It makes roles, and names none of them itself.
    assert words[words.index("--capabilities") + 1] == "CAPABILITY_IAM"
    assert not [role for role in load(TEMPLATE)["Resources"].values() if "RoleName" in role["Properties"]]
