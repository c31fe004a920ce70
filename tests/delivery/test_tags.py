"""The tags of a pipeline."""

from mypy_boto3_sagemaker.type_defs import TagTypeDef

from pipelines.delivery.tags import complete_tags

PROJECT = {"SAGEMAKER_PROJECT_NAME": "claims", "SAGEMAKER_PROJECT_ID": "p-abc123"}
TEAM: TagTypeDef = {"Key": "team", "Value": "fraud"}


def test_without_project_and_commit_the_tags_are_those_that_were_given() -> None:
    assert complete_tags((TEAM,), None, {}) == (TEAM,)


def test_project_and_commit_are_added() -> None:
    assert complete_tags((TEAM,), "0123", PROJECT) == (
        TEAM,
        {"Key": "sagemaker:project-name", "Value": "claims"},
        {"Key": "sagemaker:project-id", "Value": "p-abc123"},
        {"Key": "commit", "Value": "0123"},
    )


def test_what_was_given_wins_and_no_key_stands_twice() -> None:
    mine: tuple[TagTypeDef, ...] = (
        {"Key": "sagemaker:project-name", "Value": "mine"},
        {"Key": "commit", "Value": "main"},
    )
    assert complete_tags(mine, "0123", {"SAGEMAKER_PROJECT_NAME": "claims"}) == mine


def test_an_empty_variable_is_no_project() -> None:
    assert complete_tags((), None, {"SAGEMAKER_PROJECT_NAME": ""}) == ()
