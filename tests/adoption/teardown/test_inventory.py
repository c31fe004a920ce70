"""What a teardown takes for its project's own, and what it leaves where it is, saying why."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipelines.adoption import contents
from pipelines.adoption.teardown.site import STACK_TAG
from pipelines.adoption.teardown.things import Key, Thing
from tests.adoption.aws import NUMBER, REGION
from tests.adoption.teardown.projects import ROLE, Project, add_stack, add_versioned_bucket, there

TAG = {"Key": "sagemaker:project-id", "Value": "p-1"}
NAMED = {"Key": "sagemaker:project-name", "Value": "fraud"}
OWN_BUCKET = f"ml-project-p-1-{NUMBER}-{REGION}"
LONG = "fraud-detection-for-motor-insurance-in-all-european-countries"


def of(things: Iterable[Thing], kind: str) -> dict[str, Thing]:
    """The things of a kind, by name."""
    return {thing.name: thing for thing in things if thing.kind == kind}


def test_an_endpoint_is_told_with_its_state_and_its_instances(project: Project) -> None:
    project.make()
    endpoints = of(project.inventory().things, "endpoint")
    told = {name: (each.note, [(a.unit, a.quantity) for a in each.amounts]) for name, each in endpoints.items()}
    assert told == {
        "fraud-detection-production": ("InService", [("ml.m5.large", 2)]),
        "fraud-detection-staging": ("InService", [("ml.m5.large", 1)]),
    }


def test_an_endpoint_by_another_name_is_found_through_what_was_made_for_it(project: Project) -> None:
    project.deploy(project.register(), "production", endpoint="claims")
    assert set(of(project.inventory().things, "endpoint")) == {"claims"}
    assert project.tear_down() == []
    assert ("endpoint", "claims") not in there(project)


def test_an_endpoint_that_somebody_else_made_by_that_name_stays(project: Project) -> None:
    client = project.client("sagemaker")
    client.create_model(ModelName="other", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})
    variant = {"VariantName": "A", "ModelName": "other", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="other", ProductionVariants=[variant])
    tags = [{"Key": "team", "Value": "other"}]
    client.create_endpoint(EndpointName="fraud-detection-staging", EndpointConfigName="other", Tags=tags)
    project.client("logs").create_log_group(logGroupName="/aws/sagemaker/Endpoints/fraud-detection-staging")
    before = there(project)
    (thing,) = project.inventory().things
    assert (thing.delete, thing.note) == (None, "stays, for deploy-model did not make it for this group")
    assert project.tear_down() == []
    assert there(project) == before


def test_a_model_of_another_group_stays_whatever_it_is_called(project: Project) -> None:
    other = project.neighbour("fraud-detection-2").register()
    project.deploy(other, "staging")
    assert of(project.inventory().things, "model") == {}


def test_of_a_long_name_that_was_cut_the_model_package_tells_whose_it_is(project: Project) -> None:
    long, neighbour = project.neighbour(f"{LONG}-1"), project.neighbour(f"{LONG}-2")
    for each in (neighbour, long):
        each.deploy(each.register(), "production", endpoint=f"claims-{each.name[-1]}")
        if each is neighbour:
            before = there(project)
    assert set(of(long.inventory().things, "endpoint")) == {"claims-1"}
    assert len(of(long.inventory().things, "model")) == len(of(long.inventory().things, "endpoint config")) == 1
    assert long.tear_down() == []
    assert there(project) == before


def test_models_of_the_executions_are_found_and_those_of_other_pipelines_are_not(project: Project) -> None:
    project.run()
    neighbour = project.neighbour("fraud")
    neighbour.run()
    (name,) = of(project.inventory().things, "model")
    executions = project.client("sagemaker").list_pipeline_executions(PipelineName="fraud-detection")
    (execution,) = executions["PipelineExecutionSummaries"]
    assert name.startswith(f"pipelines-{execution['PipelineExecutionArn'].rpartition('/')[2]}-")


def test_an_execution_that_runs_is_told_and_stopped(project: Project) -> None:
    project.run()
    client = project.client("sagemaker")
    (execution,) = client.list_pipeline_executions(PipelineName=project.name)["PipelineExecutionSummaries"]
    states = iter(["Executing", "Stopping", "Stopped"])
    execution |= {"PipelineExecutionStatus": "Executing", "PipelineExecutionDisplayName": "commit-1"}
    summary = {name: value for name, value in execution.items() if name != "PipelineExecutionFailureReason"}
    project.aws.answers |= {
        "ListPipelineExecutions": lambda _: {"PipelineExecutionSummaries": [summary]},
        "DescribePipelineExecution": lambda _: {"PipelineExecutionStatus": next(states)},
        "StopPipelineExecution": lambda request: {"PipelineExecutionArn": request["PipelineExecutionArn"]},
    }
    (running,) = project.inventory().running
    assert running.note == "commit-1 is Executing"
    assert project.tear_down() == []
    assert project.aws.sent("StopPipelineExecution")[0]["PipelineExecutionArn"] == running.name
    assert project.aws.changing().index("StopPipelineExecution") < project.aws.changing().index("DeletePipeline")


def test_a_rule_that_starts_something_else_too_stays_without_the_pipeline(project: Project) -> None:
    project.run()
    project.schedule()
    events = project.client("events")
    targets = [{"Id": "2", "Arn": f"arn:aws:sqs:{REGION}:{NUMBER}:queue"}]
    events.put_targets(Rule="nightly-fraud-detection", Targets=targets)
    assert project.tear_down() == []
    assert [each["Id"] for each in events.list_targets_by_rule(Rule="nightly-fraud-detection")["Targets"]] == ["2"]
    assert project.inventory().things == ()


@pytest.mark.parametrize("groups", [["fraud-detection", "other"], [{"prefix": "fraud"}]])
def test_a_rule_that_is_about_other_groups_too_stays(project: Project, groups: object) -> None:
    pattern = json.dumps({"detail": {"ModelPackageGroupName": groups}})
    project.client("events").put_rule(Name="approved", EventPattern=pattern)
    assert project.inventory().things == ()


def test_objects_are_counted_with_all_their_versions_and_markers(project: Project) -> None:
    key = "fraud-detection/data/claims.csv"
    project.put(key)
    project.client("s3").delete_object(Bucket=project.bucket, Key=key)
    (content,) = project.inventory().things
    assert (content.name, content.note) == (f"s3://{project.bucket}/fraud-detection/", "3 objects, 11 B")
    assert project.tear_down() == []
    assert not project.client("s3").list_object_versions(Bucket=project.bucket).get("DeleteMarkers")


def test_more_objects_than_one_request_takes_are_removed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_BATCH", 4)
    for number in range(5):
        project.put(f"fraud-detection/{number}")
    assert project.tear_down() == []
    assert [len(request["Delete"]["Objects"]) for request in project.aws.sent("DeleteObjects")] == [4, 4, 2]
    assert not {kind for kind, _ in there(project)} - {"bucket"}


def test_every_request_about_objects_names_the_account_that_must_own_the_bucket(project: Project) -> None:
    project.put("fraud-detection/x")
    project.tear_down()
    sent = [*project.aws.sent("ListObjectVersions"), *project.aws.sent("DeleteObjects")]
    assert {request.get("ExpectedBucketOwner") for request in sent[-3:]} == {NUMBER}


@pytest.fixture
def own(project: Project) -> Project:
    """The same as a SageMaker project: with its own bucket and key, and with a stack that made them."""
    tags = (TAG, NAMED, add_stack(project.session, "SP-fraud"))
    own = replace(
        project, name="fraud-p-1", bucket=add_versioned_bucket(project.session, OWN_BUCKET, tags), tags=(TAG,)
    )
    own.register(group_tags=(tags[2],))
    kms_tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
    own.client("kms").create_key(Tags=kms_tags)
    own.put(f"{own.name}/x")
    return own


def test_what_belongs_to_a_stack_is_named_and_left_to_it(own: Project) -> None:
    things = own.inventory(project_id="p-1").things
    stays = {thing.kind: thing.note for thing in things if thing.delete is None}
    assert stays == {
        "model package group": "stays until the stack SP-fraud is deleted",
        "bucket": "stays until the stack SP-fraud is deleted",
        "key": "stays until the stack SP-fraud is deleted",
        "stack": "roles and events; to delete it: aws sagemaker delete-project --project-name fraud",
    }
    assert own.tear_down(project_id="p-1") == []
    assert not {kind for kind, _ in there(own)} & {"object", "package"}
    assert {("bucket", OWN_BUCKET), ("group", own.name)} <= there(own)


def test_what_a_stack_has_left_behind_is_removed_the_next_time(own: Project) -> None:
    own.client("cloudformation").delete_stack(StackName="SP-fraud")
    own.aws.calls.clear()
    assert own.tear_down(project_id="p-1") == []
    assert ("bucket", OWN_BUCKET) not in there(own)
    changes = own.aws.changing()
    assert changes.index("DeleteBucket") < changes.index("ScheduleKeyDeletion")
    assert own.aws.sent("ScheduleKeyDeletion")[0]["PendingWindowInDays"] == 30


def test_the_bucket_may_be_gone_when_the_same_is_asked_again(own: Project) -> None:
    own.client("cloudformation").delete_stack(StackName="SP-fraud")
    for _ in range(2):
        assert own.tear_down(project_id="p-1", bucket=OWN_BUCKET) == []
    assert ("bucket", OWN_BUCKET) not in there(own)


def test_a_prefix_that_only_begins_alike_stays_and_is_told(project: Project) -> None:
    for key in ("fraud-detection/x", "fraud-detection-2/x", "fraud-detectionx/x", "fraud/x", "a/x", "loose"):
        project.put(key)
    others = of(project.inventory().things, "objects")[f"s3://{project.bucket}"]
    shown = "a/, fraud-detection-2/, fraud-detectionx/ and 1 more"
    assert (others.delete, others.note) == (None, f"other prefixes stay: {shown}; --name NAME looks below one")
    before = there(project)
    assert project.tear_down() == []
    gone = {name.partition("/")[2].partition("@")[0] for _, name in before - there(project)}
    assert gone == {"fraud-detection/x"}


def test_a_key_that_is_to_be_deleted_already_is_not_listed(own: Project) -> None:
    (key,) = of(own.inventory(project_id="p-1").things, "key").values()
    described = own.client("kms").describe_key(KeyId=key.name)
    described["KeyMetadata"]["KeyState"] = "PendingDeletion"
    own.aws.answers["DescribeKey"] = lambda _: {"KeyMetadata": described["KeyMetadata"]}
    assert of(own.inventory(project_id="p-1").things, "key") == {}


def test_a_bucket_that_holds_something_else_stays_and_its_key_too(own: Project) -> None:
    own.client("cloudformation").delete_stack(StackName="SP-fraud")
    own.put("claims/2026.csv")
    stays = {each.kind: each.note for each in own.inventory(project_id="p-1").things if not each.delete}
    assert stays == {
        "bucket": "stays, for it holds something else: claims/2026.csv",
        "key": f"stays with the bucket {OWN_BUCKET}",
    }
    assert own.tear_down(project_id="p-1") == []
    assert own.aws.sent("ScheduleKeyDeletion") == []
    assert any(name.startswith(f"{OWN_BUCKET}/claims/2026.csv") for _, name in there(own))


def test_a_key_is_kept_when_its_bucket_could_not_be_removed(own: Project) -> None:
    own.client("cloudformation").delete_stack(StackName="SP-fraud")
    own.aws.deny("DeleteBucket")
    assert {failure.key.kind for failure in own.tear_down(project_id="p-1")} == {"bucket", "key"}
    assert own.aws.sent("ScheduleKeyDeletion") == []


@pytest.mark.parametrize("tags", [[{**TAG, "Value": "p-2"}], [TAG, {**NAMED, "Value": "claims"}]])
def test_the_bucket_of_another_project_stays_and_so_does_the_key(own: Project, tags: list[dict[str, str]]) -> None:
    own.client("cloudformation").delete_stack(StackName="SP-fraud")
    own.client("s3").put_bucket_tagging(Bucket=OWN_BUCKET, Tagging={"TagSet": tags})
    assert own.tear_down(project_id="p-1") == []
    assert ("bucket", OWN_BUCKET) in there(own)
    assert own.aws.sent("ScheduleKeyDeletion") == []


def test_what_has_the_tag_of_the_project_is_found_by_any_name(own: Project) -> None:
    client = own.client("sagemaker")
    client.create_model(ModelName="by-hand", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"}, Tags=[TAG])
    variant = {"VariantName": "A", "ModelName": "by-hand", "InstanceType": "ml.p3.8xlarge", "InitialInstanceCount": 3}
    client.create_endpoint_config(EndpointConfigName="by-hand", ProductionVariants=[variant], Tags=[TAG])
    client.create_endpoint(EndpointName="by-hand", EndpointConfigName="by-hand", Tags=[TAG])
    # Moto finds no endpoint configs by their tags.
    arns = [f"arn:aws:sagemaker:{REGION}:{NUMBER}:{kind}/by-hand" for kind in ("model", "endpoint-config", "endpoint")]
    tagged = [{"ResourceARN": arn, "Tags": [TAG]} for arn in arns]
    own.aws.answers["GetResources"] = lambda _: {"ResourceTagMappingList": tagged}
    keys = {thing.key for thing in own.inventory(project_id="p-1").things}
    assert {Key(kind, "by-hand") for kind in ("model", "endpoint config", "endpoint")} <= keys
    assert own.tear_down(project_id="p-1") == []
    assert not {("model", "by-hand"), ("config", "by-hand"), ("endpoint", "by-hand")} & there(own)


def test_the_bucket_of_a_project_is_found_by_its_tag_whatever_it_is_called(own: Project) -> None:
    add_versioned_bucket(own.session, "another-name", (TAG,))
    arns = ["arn:aws:s3:::another-name"]
    own.aws.answers["GetResources"] = lambda _: {
        "ResourceTagMappingList": [{"ResourceARN": arn, "Tags": [TAG]} for arn in arns]
    }
    assert set(of(own.inventory(project_id="p-1").things, "bucket")) == {"another-name"}
    arns.clear()
    assert set(of(own.inventory(project_id="p-1").things, "bucket")) == {OWN_BUCKET}


def test_a_neighbour_that_was_given_the_same_id_keeps_everything(own: Project) -> None:
    client, name = own.client("sagemaker"), {"Key": "sagemaker:project-name", "Value": "claims"}
    tags = [TAG, name]
    client.create_model(ModelName="claims", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"}, Tags=tags)
    assert of(own.inventory(project_id="p-1").things, "model") == {}


def test_without_the_right_to_look_for_tags_the_rest_is_found(own: Project) -> None:
    own.aws.deny("GetResources")
    inventory = own.inventory(project_id="p-1")
    assert [failure.key.kind for failure in inventory.failures] == ["tag"]
    assert {"model package", "objects"} <= {thing.kind for thing in inventory.things}


def test_a_log_group_of_the_stack_stays(own: Project) -> None:
    name = f"/aws/sagemaker/Endpoints/{own.name}-staging"
    own.client("logs").create_log_group(logGroupName=name, tags={STACK_TAG: "SP-fraud"})
    (group,) = of(own.inventory(project_id="p-1").things, "log group").values()
    assert (group.delete, group.note) == (None, "stays until the stack SP-fraud is deleted")
