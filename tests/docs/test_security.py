"""What docs/security.md says of roles is what the template has."""

import re
from typing import Any

import pytest
import yaml

from tests.docs.pages import REPOSITORY, rows, section

PAGE = "docs/security.md"


class Loader(yaml.SafeLoader):
    """CloudFormation's YAML, its short functions as what they are about."""


def _short(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else node.value


Loader.add_multi_constructor("!", _short)
RESOURCES: dict[str, Any] = yaml.load((REPOSITORY / "project-template" / "template.yml").read_text(), Loader)[
    "Resources"
]
ROLES = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::IAM::Role"}


def statements(role: str) -> list[dict[str, Any]]:
    """Every statement of a role, conditional ones too."""
    found: list[dict[str, Any]] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict) and "Effect" in value and "Principal" not in value:
            found.append(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            collect(each)

    collect(RESOURCES[role]["Properties"].get("Policies", []))
    return found


def actions(role: str) -> set[str]:
    listed = (each["Action"] for each in statements(role))
    return {action for some in listed for action in ([some] if isinstance(some, str) else some)}


def test_every_role_of_the_template_is_told_and_no_other() -> None:
    told = {row[0].strip("`") for row in rows(section(PAGE, "Who may do what").partition("### ")[0])}
    assert told == ROLES


@pytest.mark.parametrize("role", sorted(ROLES - {"ApproveRole"}))
def test_nobody_but_the_approving_role_approves(role: str) -> None:
    for statement in statements(role):
        if "sagemaker:UpdateModelPackage" in str(statement.get("Action")):
            condition = statement["Condition"]
            said = [*condition["StringEquals"].values()]
            assert "Approved" not in str(said).replace("Unapproved", "")
            assert condition["Null"]


@pytest.mark.parametrize("role", sorted(ROLES - {"StagingRole", "ProductionRole"}))
def test_nobody_but_the_deploying_roles_makes_endpoints(role: str) -> None:
    assert not {action for action in actions(role) if re.search("(Create|Update|Delete)Endpoint", action)}


@pytest.mark.parametrize("role", sorted(ROLES - {"BuildRole", "PipelineExecutionRole"}))
def test_nobody_else_writes_what_models_are_made_of(role: str) -> None:
    written = [str(each["Resource"]) for each in statements(role) if "s3:PutObject" in str(each["Action"])]
    assert all(resource.endswith(("/builds/*", "/data-capture/*")) for resource in written)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_passes_one_role_at_most_and_to_sagemaker(role: str) -> None:
    passing = [each for each in statements(role) if each["Action"] == "iam:PassRole"]
    assert len(passing) <= 1
    for each in passing:
        assert each["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert isinstance(each["Resource"], str)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_role_lies_below_the_projects_path_and_can_be_given_a_boundary(role: str) -> None:
    properties = RESOURCES[role]["Properties"]
    assert properties["Path"] == "/sagemaker-projects/${SageMakerProjectName}-${SageMakerProjectId}/"
    assert "PermissionsBoundaryArn" in properties["PermissionsBoundary"]
