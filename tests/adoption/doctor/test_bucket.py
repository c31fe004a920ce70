"""The bucket and the template in it: what is wrong is found, and what mends it does so."""

from typing import Any

import pytest

from pipelines.adoption.doctor.bucket import CORS, check_bucket, check_template
from pipelines.adoption.doctor.finding import Verdict
from tests.adoption.aws import BUCKET, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.doctor.subjects import problem, subject, verdicts
from tests.delivery.deployment.service import Refusal

KEY = "templates/commit-to-endpoint.yml"
WELL = {"template bucket": Verdict.OK, "bucket CORS": Verdict.OK, "template": Verdict.OK, "template tag": Verdict.OK}


def all_of(aws: MotoAws) -> dict[str, Verdict]:
    seen = subject(aws)
    return verdicts(each for check in (check_bucket, check_template) for each in check(seen))


def empty(aws: MotoAws) -> None:
    s3 = aws.client("s3")
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])


def test_all_is_well_after_an_installation(well: MotoAws) -> None:
    assert all_of(well) == WELL


def test_a_bucket_that_is_gone_is_a_problem(well: MotoAws) -> None:
    empty(well)
    well.client("s3").delete_bucket(Bucket=BUCKET)
    found = problem(check_bucket, subject(well))
    assert (found.name, found.says) == ("template bucket", f"s3://{BUCKET} does not exist")
    assert found.steps == ("project-template uninstall --yes", "project-template install --yes")


def test_a_bucket_in_another_region_is_a_problem(well: MotoAws) -> None:
    well.answers["HeadBucket"] = lambda _: {"BucketRegion": "us-east-1"}
    found = problem(check_bucket, subject(well))
    assert found.says == f"s3://{BUCKET} is in us-east-1, and projects are made in eu-west-1"


def test_so_is_one_that_s3_sends_elsewhere_for(well: MotoAws) -> None:
    moved = Refusal("301", "Moved Permanently", status=301)
    moved.parsed["ResponseMetadata"]["HTTPHeaders"] = {"x-amz-bucket-region": "us-east-1"}
    well.answers["HeadBucket"] = moved
    assert " is in us-east-1, " in problem(check_bucket, subject(well)).says


def test_without_cors_rules_the_fix_sets_those_that_studio_needs(well: MotoAws) -> None:
    s3 = well.client("s3")
    s3.delete_bucket_cors(Bucket=BUCKET)
    found = problem(check_bucket, subject(well))
    assert found.says == f"s3://{BUCKET} has none: Studio cannot read the template"
    carry_out(found.steps[0])
    assert all_of(well) == WELL
    assert s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"] == CORS["CORSRules"]


@pytest.mark.parametrize(
    "rule",
    [
        {"AllowedOrigins": ["https://studio.example.com"], "AllowedMethods": ["GET", "HEAD", "POST", "PUT", "DELETE"]},
        {"AllowedOrigins": ["https://*.sagemaker.aws"], "AllowedMethods": ["GET"]},
    ],
    ids=["origin", "methods"],
)
def test_rules_that_keep_studio_out_are_a_problem(well: MotoAws, rule: dict[str, Any]) -> None:
    well.client("s3").put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    assert problem(check_bucket, subject(well)).name == "bucket CORS"


def test_a_template_that_is_missing_is_a_problem(well: MotoAws) -> None:
    empty(well)
    found = problem(check_template, subject(well))
    assert (found.says, found.steps) == (f"s3://{BUCKET}/{KEY} does not exist", ("project-template install --yes",))


def test_a_template_of_another_checkout_is_a_problem(well: MotoAws) -> None:
    well.client("s3").put_object(
        Bucket=BUCKET, Key=KEY, Body=b"{}", Metadata={"sha256": "0" * 64}, Tagging="sagemaker%3Astudio-visibility=true"
    )
    assert all_of(well) == WELL | {"template": Verdict.PROBLEM}


def test_a_template_without_its_tag_is_a_problem_that_the_fix_mends(well: MotoAws) -> None:
    well.client("s3").delete_object_tagging(Bucket=BUCKET, Key=KEY)
    found = problem(check_template, subject(well))
    assert found.says == "the template has no tag sagemaker:studio-visibility=true: Studio does not show it"
    carry_out(found.steps[0])
    assert all_of(well) == WELL
