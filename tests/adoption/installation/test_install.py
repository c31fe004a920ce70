"""What an installation makes, keeps and refuses."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.adoption.installation.source import read_source
from pipelines.delivery.errors import DeliveryError
from tests.adoption.aws import BUCKET, LAUNCH_ROLE, NUMBER, PROVIDER, ROLE, STACK, TEMPLATE, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.installed import changed, install, order, planned, stack_of, templates
from tests.delivery.deployment.service import Refusal

KEY = "templates/commit-to-endpoint.yml"
LOCATION = {"sagemaker:projectS3TemplatesLocation": f"s3://{BUCKET}/templates/"}
OTHER = ROLE.replace("studio", "analyst")


def add_role(aws: MotoAws, arn: str) -> None:
    trust = json.dumps({"Statement": []})
    aws.client("iam").create_role(
        RoleName=arn.rpartition("/")[2], Path="/service-role/", AssumeRolePolicyDocument=trust
    )


def test_the_template_goes_up_as_studio_and_cloudformation_look_for_it(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws)
    s3 = aws.client("s3")
    found = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert found["Body"].read() == TEMPLATE.read_bytes()
    assert found["ContentType"] == "application/yaml"
    assert s3.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"] == [
        {"Key": "sagemaker:studio-visibility", "Value": "true"}
    ]


def test_every_request_about_the_bucket_names_its_owner(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws)
    aws.calls.clear()
    install(aws)
    asked = [request for name, request in aws.calls if request.get("Bucket") == BUCKET]
    assert asked
    assert all(request["ExpectedBucketOwner"] == aws.account.number for request in asked)


def test_the_domain_looks_at_the_bucket_and_its_role_may_create_projects(aws: MotoAws) -> None:
    arn = aws.add_domain()
    install(aws)
    assert aws.domain_tags(arn) == LOCATION
    (policy,) = aws.client("iam").list_attached_role_policies(RoleName="studio")["AttachedPolicies"]
    assert policy["PolicyArn"] == stack_of(aws).outputs["StudioPolicyArn"]
    trust = aws.client("iam").get_role(RoleName=LAUNCH_ROLE.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert ROLE in json.dumps(trust)


def test_a_provider_that_is_there_is_not_made_again(aws: MotoAws) -> None:
    aws.add_domain()
    aws.client("iam").create_open_id_connect_provider(
        Url=f"https://{PROVIDER.partition('/')[2]}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=[]
    )
    assert "identity provider" not in planned(aws, order(aws))[0]
    install(aws, order(aws))
    assert stack_of(aws).parameters["GitHubIdentityProvider"] == "exists"


def test_a_provider_that_the_stack_made_stays_its_own(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws)
    assert planned(aws, order(aws)) == []
    assert stack_of(aws).parameters["GitHubIdentityProvider"] == "create"


def test_a_changed_template_is_all_that_goes_up_again(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    install(aws)
    later = order(aws, source=changed(tmp_path, template="# later\n"))
    assert install(aws, later) == [f"upload template.yml to s3://{BUCKET}/{KEY}"]
    assert planned(aws, later) == []
    assert planned(aws, order(aws)) == [f"upload template.yml to s3://{BUCKET}/{KEY}"]


@pytest.mark.parametrize("damage", ["untag", "replace"])
def test_a_template_that_somebody_changed_is_put_right(aws: MotoAws, damage: str) -> None:
    aws.add_domain()
    install(aws)
    s3 = aws.client("s3")
    if damage == "untag":
        s3.delete_object_tagging(Bucket=BUCKET, Key=KEY)
    else:
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}", Tagging="sagemaker%3Astudio-visibility=true")
    assert install(aws) == [f"upload template.yml to s3://{BUCKET}/{KEY}"]
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == TEMPLATE.read_bytes()


def test_a_changed_stack_is_said_and_updated(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    install(aws)
    later = order(aws, source=changed(tmp_path, installer="# later\n"))
    assert install(aws, later) == [f"update the stack {STACK}: its template"]
    assert planned(aws, later) == []


def test_a_stack_without_a_real_change_is_up_to_date(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    install(aws)
    aws.answers["UpdateStack"] = Refusal("ValidationError", "No updates are to be performed.")
    later = order(aws, source=changed(tmp_path, installer="# later\n"))
    assert install(aws, later) == [f"update the stack {STACK}: its template"]


def test_roles_of_earlier_installations_stay_trusted(aws: MotoAws) -> None:
    aws.add_domain()
    add_role(aws, OTHER)
    install(aws, order(aws, OTHER))
    assert planned(aws, order(aws)) == []
    assert stack_of(aws).parameters["StudioRoleArns"] == f"{ROLE},{OTHER}"


def test_a_role_that_is_added_is_said(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws)
    add_role(aws, OTHER)
    assert planned(aws, order(aws, OTHER)) == [
        f"update the stack {STACK}: StudioRoleArns from '{ROLE}' to '{ROLE},{OTHER}', "
        "StudioRoleNames from 'studio' to 'studio,analyst'"
    ]


def test_a_role_that_is_gone_is_trusted_no_more_for_iam_would_refuse_it(aws: MotoAws) -> None:
    aws.add_domain()
    add_role(aws, OTHER)
    install(aws, order(aws, OTHER))
    iam = aws.client("iam")
    for policy in iam.list_attached_role_policies(RoleName="analyst")["AttachedPolicies"]:
        iam.detach_role_policy(RoleName="analyst", PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName="analyst")
    assert planned(aws, order(aws)) == [
        f"update the stack {STACK}: StudioRoleArns from '{ROLE},{OTHER}' to '{ROLE}', "
        "StudioRoleNames from 'studio,analyst' to 'studio'"
    ]


@pytest.mark.parametrize(
    "role",
    [OTHER, ROLE.replace(NUMBER, "999999999999"), ROLE.replace("service-role/", "")],
    ids=["missing", "of-another-account", "at-another-path"],
)
def test_a_role_that_could_not_be_trusted_is_refused_before_anything_is_made(aws: MotoAws, role: str) -> None:
    aws.add_domain()
    aws.calls.clear()
    with pytest.raises(DeliveryError, match=f"account {NUMBER} has no role {role}"):
        install(aws, order(aws, role))
    assert aws.changing() == []


def test_a_domain_that_shows_other_templates_is_refused_before_anything_is_made(aws: MotoAws) -> None:
    arn = aws.add_domain()
    tags = [{"Key": "sagemaker:projectS3TemplatesLocation", "Value": "s3://others/"}]
    aws.client("sagemaker").add_tags(ResourceArn=arn, Tags=tags)
    aws.calls.clear()
    with pytest.raises(DeliveryError) as caught:
        install(aws)
    assert str(caught.value) == (
        "the domain d-studio shows the templates of s3://others/, and it can have one place only. "
        "Next: use --service-catalog, or take the other place away: "
        f"aws sagemaker delete-tags --resource-arn {arn} --tag-keys sagemaker:projectS3TemplatesLocation"
    )
    assert aws.changing() == []
    carry_out(f"aws {str(caught.value).partition(': aws ')[2]}")
    install(aws)
    assert aws.domain_tags(arn) == LOCATION


def test_service_catalog_leaves_such_a_domain_alone(aws: MotoAws) -> None:
    arn = aws.add_domain()
    tags = [{"Key": "sagemaker:projectS3TemplatesLocation", "Value": "s3://others/"}]
    aws.client("sagemaker").add_tags(ResourceArn=arn, Tags=tags)
    version = read_source(None).version
    said = install(aws, order(aws, service_catalog=True))
    assert said[-1] == f"add a product of Service Catalog, with version {version}, to the stack {STACK}"
    assert aws.domain_tags(arn) == {"sagemaker:projectS3TemplatesLocation": "s3://others/"}
    assert aws.versions == {version: f"pa-{version}"}


def test_a_changed_template_becomes_another_version_of_the_product(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    source = changed(tmp_path, template="# later\n")
    later = order(aws, source=source, service_catalog=True)
    assert install(aws, later)[-1] == f"add version {source.version} to the product prod-example"
    (request,) = aws.sent("CreateProvisioningArtifact")
    address = f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/{KEY}"
    assert request["Parameters"]["Info"] == {"LoadTemplateFromURL": address}
    assert planned(aws, later) == []
    assert len(aws.versions) == 2


def test_the_product_stays_when_the_domain_is_installed_too(aws: MotoAws) -> None:
    arn = aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    assert install(aws) == [f"let the domain d-studio show the templates of s3://{BUCKET}/templates/"]
    assert aws.domain_tags(arn) == LOCATION
    assert stack_of(aws).outputs["ProductId"] == "prod-example"


def test_another_stack_than_this_one_is_told(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    installer = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
    source = templates(tmp_path, template=TEMPLATE.read_text(), installer=installer)
    with pytest.raises(DeliveryError, match="has no output TemplateBucket: its template is not this repository's"):
        install(aws, order(aws, source=source))
    assert aws.sent("PutObject") == []


def test_without_a_domain_projects_are_for_the_command_line(aws: MotoAws) -> None:
    add_role(aws, ROLE)
    wished = replace(order(aws, ROLE), domain=None)
    assert [says.split()[0] for says in install(aws, wished)] == ["make", "upload"]
