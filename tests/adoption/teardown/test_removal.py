"""A teardown removes what its project made, nothing else, and goes on after what it could not remove."""

import pytest

from pipelines.adoption.teardown.inventory import ORDER
from pipelines.adoption.teardown.removal import remove
from tests.adoption.teardown.projects import Project, there
from tests.delivery.deployment.service import Refusal

NEIGHBOURS = ("fraud-detection-2", "fraud", "fraud-detection-staging", "my-fraud-detection", "fraud-detection-v1")
STAYS = {("bucket", "sagemaker-eu-west-1-123456789012")}


def test_all_that_was_made_is_found_and_removed(project: Project) -> None:
    project.make()
    kinds = [thing.kind for thing in project.inventory().things]
    assert sorted(set(kinds), key=ORDER.index) == [
        "schedule",
        "rule",
        "endpoint",
        "alarm",
        "endpoint config",
        "model",
        "model package",
        "model package group",
        "pipeline",
        "log group",
        "objects",
    ]
    assert project.tear_down() == []
    assert there(project) == STAYS
    assert project.inventory().things == ()


def test_looking_changes_nothing(project: Project) -> None:
    project.make()
    before = there(project)
    project.aws.calls.clear()
    assert project.inventory().failures == ()
    assert project.aws.changing() == []
    assert there(project) == before


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_neighbour_with_a_name_like_it_keeps_everything(project: Project, name: str) -> None:
    neighbour = project.neighbour(name)
    neighbour.make()
    before = there(project)
    project.make()
    assert project.tear_down() == []
    assert there(project) == before


def test_what_is_deleted_meanwhile_is_no_failure(project: Project) -> None:
    project.make()
    inventory, journal = project.inventory(), project.site().tools.journal
    assert project.tear_down() == []
    assert remove(inventory, journal) == []


def test_an_interrupt_ends_it_between_two_removals_and_the_same_again_finishes(project: Project) -> None:
    project.make()
    inventory, left = project.inventory(), iter(range(3))

    def go_on() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remove(inventory, project.site().tools.journal, go_on)
    assert len(project.inventory().things) == len(inventory.things) - 3
    assert project.tear_down() == []
    assert there(project) == STAYS


DENIED = {
    "DeleteSchedule": {"schedule", "pipeline"},
    "DeleteEndpoint": {"endpoint", "alarm", "endpoint config", "model", "model package", "model package group"},
    "DeleteModelPackage": {"model package", "model package group"},
    "DeletePipeline": {"pipeline"},
    "DeleteLogGroup": {"log group"},
    "ListSchedules": {"schedule", "pipeline"},
    "DescribeLogGroups": {"log group"},
    "ListObjectVersions": {"objects"},
}


@pytest.mark.parametrize("operation", DENIED)
def test_after_one_refusal_the_rest_goes_on_and_the_same_again_finishes(project: Project, operation: str) -> None:
    project.make()
    project.aws.deny(operation)
    failures = project.tear_down()
    assert DENIED[operation] <= {failure.key.kind for failure in failures}
    assert any("AccessDenied" in failure.reason for failure in failures)
    left = {thing.kind for thing in project.inventory().things}
    assert left <= {failure.key.kind for failure in failures}
    del project.aws.answers[operation]
    assert project.tear_down() == []
    assert there(project) == STAYS


def test_what_leads_to_something_that_could_not_be_removed_is_kept(project: Project) -> None:
    project.make()
    project.aws.deny("DeleteEndpoint")
    reasons = {failure.key.name: failure.reason for failure in project.tear_down() if failure.key.kind == "alarm"}
    assert reasons == {
        "fraud-detection-production-errors": "kept, because of endpoint fraud-detection-production",
    }


def test_an_object_that_cannot_be_deleted_is_told(project: Project) -> None:
    project.make()
    error = {"Key": "fraud-detection/runs/1/object", "Code": "AccessDenied", "Message": "no"}
    project.aws.answers["DeleteObjects"] = lambda _: {"Errors": [error]}
    failures = [failure for failure in project.tear_down() if failure.key.kind == "objects"]
    assert {failure.reason for failure in failures} == {
        f"s3://{project.bucket}/fraud-detection/runs/1/object was not deleted: AccessDenied: no"
    }


def test_throttling_is_a_failure_that_the_next_try_mends(project: Project) -> None:
    project.make()
    project.aws.answers["DeleteModel"] = Refusal("ThrottlingException", "Rate exceeded")
    assert {"model", "model package"} <= {failure.key.kind for failure in project.tear_down()}
    del project.aws.answers["DeleteModel"]
    assert project.tear_down() == []


def test_a_bucket_of_the_project_that_is_not_there_has_nothing_in_it(project: Project) -> None:
    assert project.inventory(project_id="detection").things == ()


def test_in_an_account_without_the_project_nothing_is_found(project: Project) -> None:
    inventory = project.inventory()
    assert (inventory.things, inventory.failures) == ((), ())
