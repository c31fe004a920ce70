"""What is taken away, and what is refused because somebody needs it still."""

import json

import pytest
from botocore.exceptions import ClientError

from pipelines.adoption.installation.uninstall import changes
from pipelines.delivery.errors import DeliveryError
from tests.adoption.aws import BUCKET, LAUNCH_ROLE, PRODUCT, PROVIDER, STACK, MotoAws
from tests.adoption.installed import install, make, order, stack_of

KEY = "templates/commit-to-endpoint.yml"
PLACE = f"s3://{BUCKET}/templates/"


@pytest.fixture
def installed(aws: MotoAws) -> MotoAws:
    aws.add_domain()
    install(aws)
    aws.calls.clear()
    return aws


def uninstall(aws: MotoAws, *, deletes_objects: bool = False) -> list[str]:
    return make(changes(aws.account, stack_of(aws), deletes_objects=deletes_objects))


def refusal(aws: MotoAws) -> str:
    """What is said instead, before anything is taken away."""
    with pytest.raises(DeliveryError) as caught:
        uninstall(aws)
    assert aws.changing() == []
    return str(caught.value)


def test_all_that_was_made_goes(installed: MotoAws) -> None:
    assert uninstall(installed) == [
        f"let the domain d-studio show the templates of {PLACE} no more",
        f"delete all versions of {KEY} in s3://{BUCKET}",
        f"delete the stack {STACK} with all that it made",
    ]
    domain = installed.client("sagemaker").describe_domain(DomainId="d-studio")["DomainArn"]
    assert installed.domain_tags(domain) == {}
    with pytest.raises(ClientError, match="404"):
        installed.client("s3").head_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        installed.client("iam").get_role(RoleName=LAUNCH_ROLE.rpartition("/")[2])


def test_what_is_only_looked_at_stays(installed: MotoAws) -> None:
    plan = changes(installed.account, stack_of(installed), deletes_objects=True)
    assert len(list(plan)) == 3
    assert installed.changing() == []


def test_every_version_and_delete_marker_goes(installed: MotoAws) -> None:
    s3 = installed.client("s3")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"later")
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    uninstall(installed)
    (request,) = installed.sent("DeleteObjects")
    assert len(request["Delete"]["Objects"]) == 3
    assert stack_is_gone(installed)


def stack_is_gone(aws: MotoAws) -> bool:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    return STACK not in {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_objects_of_others_stay_unless_that_is_asked_for(installed: MotoAws) -> None:
    installed.client("s3").put_object(Bucket=BUCKET, Key="templates/theirs.yml", Body=b"{}")
    installed.calls.clear()
    assert refusal(installed) == (
        f"s3://{BUCKET} holds 1 objects that project-template did not put there, such as templates/theirs.yml. "
        "Next: move them away, or add --delete-objects"
    )
    said = uninstall(installed, deletes_objects=True)
    assert f"delete all versions of {KEY}, templates/theirs.yml in s3://{BUCKET}" in said
    assert stack_is_gone(installed)


@pytest.mark.parametrize(
    "project",
    [
        {
            "TemplateProviderDetails": [
                {
                    "CfnTemplateProviderDetail": {
                        "TemplateName": "commit-to-endpoint",
                        "TemplateURL": "https://bucket/template.yml",
                        "RoleARN": LAUNCH_ROLE,
                    }
                }
            ]
        },
        {"ServiceCatalogProvisioningDetails": {"ProductId": PRODUCT}},
    ],
    ids=["template", "product"],
)
def test_projects_that_need_the_launch_role_to_be_deleted_are_named(aws: MotoAws, project: dict[str, object]) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    aws.projects = {"claims": project, "other": {}}
    aws.calls.clear()
    assert refusal(aws) == (
        "the launch role is needed to delete the projects claims. "
        "Next: aws sagemaker delete-project --project-name claims, and so on, then the same command"
    )


def test_projects_of_others_are_no_reason_to_stay(installed: MotoAws) -> None:
    other = {"TemplateName": "x", "TemplateURL": "https://bucket/x.yml", "RoleARN": f"{LAUNCH_ROLE}-of-others"}
    installed.projects = {
        "theirs": {"TemplateProviderDetails": [{"CfnTemplateProviderDetail": other}]},
        "built-in": {"ServiceCatalogProvisioningDetails": {"ProductId": "prod-aws"}},
        "plain": {},
    }
    uninstall(installed)
    assert stack_is_gone(installed)


def test_projects_that_are_deleted_are_no_reason_to_stay(installed: MotoAws) -> None:
    own = {"TemplateName": "x", "TemplateURL": "https://bucket/x.yml", "RoleARN": LAUNCH_ROLE}
    details = [{"CfnTemplateProviderDetail": own}]
    installed.projects = {"gone": {"TemplateProviderDetails": details, "ProjectStatus": "DeleteCompleted"}}
    uninstall(installed)
    assert stack_is_gone(installed)


def test_every_domain_that_looks_there_is_told(installed: MotoAws) -> None:
    arn = installed.add_domain("second", "arn:aws:iam::123456789012:role/service-role/second")
    tags = [{"Key": "sagemaker:projectS3TemplatesLocation", "Value": PLACE}]
    installed.client("sagemaker").add_tags(ResourceArn=arn, Tags=tags)
    said = uninstall(installed)
    assert [says.split()[3] for says in said[:2]] == ["d-studio", "d-second"]


def test_a_domain_that_looks_elsewhere_is_left_alone(installed: MotoAws) -> None:
    domain = installed.client("sagemaker").describe_domain(DomainId="d-studio")["DomainArn"]
    tags = [{"Key": "sagemaker:projectS3TemplatesLocation", "Value": "s3://others/"}]
    installed.client("sagemaker").add_tags(ResourceArn=domain, Tags=tags)
    uninstall(installed)
    assert installed.domain_tags(domain) == {"sagemaker:projectS3TemplatesLocation": "s3://others/"}


def test_the_provider_that_others_may_use_stays(installed: MotoAws) -> None:
    uninstall(installed)
    listed = installed.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert listed == [{"Arn": PROVIDER}]


def test_what_failed_to_be_made_can_be_taken_away(aws: MotoAws) -> None:
    aws.add_domain()
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    aws.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(topic))
    aws.statuses = ["ROLLBACK_COMPLETE"]
    assert uninstall(aws) == [f"delete the stack {STACK} with all that it made"]
    assert stack_is_gone(aws)


def test_a_bucket_that_is_gone_already_is_no_obstacle(installed: MotoAws) -> None:
    s3 = installed.client("s3")
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)
    plan = changes(installed.account, stack_of(installed), deletes_objects=False)
    assert [change.says.split()[0] for change in plan] == ["let", "delete"]


def test_an_object_that_cannot_be_deleted_stops_it_before_the_stack(installed: MotoAws) -> None:
    error = {"Key": KEY, "VersionId": "1", "Code": "AccessDenied", "Message": "Access Denied"}
    installed.answers["DeleteObjects"] = lambda _: {"Errors": [error]}
    with pytest.raises(DeliveryError, match=f"s3://{BUCKET}/{KEY} was not deleted: AccessDenied: Access Denied"):
        uninstall(installed)
    assert not stack_is_gone(installed)
