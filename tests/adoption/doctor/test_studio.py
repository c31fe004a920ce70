"""The stack, the Studio domain and the product."""

from pathlib import Path

import pytest

from pipelines.adoption.doctor.finding import Verdict
from pipelines.adoption.doctor.studio import check_domain, check_product, check_stack
from tests.adoption.aws import BUCKET, ROLE, STACK, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.doctor.subjects import only, problem, subject, verdicts
from tests.adoption.installed import changed, install, order

TAG = "sagemaker:projectS3TemplatesLocation"


def test_a_fresh_installation_is_well(well: MotoAws) -> None:
    seen = subject(well)
    findings = (each for check in (check_stack, check_domain, check_product) for each in check(seen))
    assert verdicts(findings) == dict.fromkeys(("stack", "Studio domain", "domain tag"), Verdict.OK)


def test_without_a_stack_it_is_to_be_installed(aws: MotoAws) -> None:
    found = problem(check_stack, subject(aws))
    assert (found.says, found.steps) == (
        f"eu-west-1 has no stack {STACK}",
        ("project-template install --yes",),
    )


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("ROLLBACK_COMPLETE", "project-template uninstall --yes"),
        ("UPDATE_IN_PROGRESS", f"aws cloudformation describe-stack-events --stack-name {STACK}"),
        ("UPDATE_ROLLBACK_FAILED", f"aws cloudformation describe-stack-events --stack-name {STACK}"),
    ],
)
def test_a_stack_that_does_not_stand_is_a_problem(well: MotoAws, status: str, step: str) -> None:
    well.statuses = [status]
    found = problem(check_stack, subject(well))
    assert (found.says, found.steps[0]) == (f"{STACK} is {status}", step)


def test_a_stack_of_another_installer_is_a_problem(aws: MotoAws, tmp_path: Path) -> None:
    aws.add_domain()
    install(aws, order(aws, source=changed(tmp_path, installer="# earlier\n")))
    assert problem(check_stack, subject(aws)).says == f"{STACK} was made of another install.yml"


def test_a_region_without_a_domain_is_a_problem(aws: MotoAws) -> None:
    assert problem(check_domain, subject(aws)).says == (
        "eu-west-1 has none: projects can be made by the command line only"
    )


@pytest.mark.parametrize("found", [None, "s3://others/"])
def test_a_domain_that_looks_elsewhere_is_a_problem_that_the_fix_mends(well: MotoAws, found: str | None) -> None:
    client = well.client("sagemaker")
    arn = client.describe_domain(DomainId="d-studio")["DomainArn"]
    client.delete_tags(ResourceArn=arn, TagKeys=[TAG])
    if found:
        client.add_tags(ResourceArn=arn, Tags=[{"Key": TAG, "Value": found}])
    told = problem(check_domain, subject(well))
    assert told.name == "domain tag"
    assert told.says == f"{TAG} is {found or 'missing'}: Studio does not look at s3://{BUCKET}/templates/"
    carry_out(told.steps[0])
    assert well.domain_tags(arn) == {TAG: f"s3://{BUCKET}/templates/"}


def test_a_product_makes_the_domain_s_tag_needless(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    found = only(check_domain(subject(aws)))
    assert (found.verdict, ROLE in found.says) == (Verdict.OK, True)
    assert only(check_product(subject(aws))).verdict is Verdict.OK


def test_a_product_without_this_template_is_a_problem(aws: MotoAws) -> None:
    aws.add_domain()
    install(aws, order(aws, service_catalog=True))
    aws.answers["ListProvisioningArtifacts"] = lambda _: {"ProvisioningArtifactDetails": [{"Id": "1", "Name": "old"}]}
    assert problem(check_product, subject(aws)).steps == ("project-template install --yes --service-catalog",)
