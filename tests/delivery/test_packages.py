"""Model packages as they are described, listed and found, on this machine and where AWS refuses."""

import re
from collections.abc import Iterator
from datetime import UTC

import pytest
from botocore.exceptions import ClientError

from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import set_stage
from pipelines.delivery.packages import approved, describe, find, find_champion, list_arns
from pipelines.local.session import session
from tests.delivery.registry import EXECUTION, GROUP, REPORT_URI, SHA, Account, add, arn_of, described, summaries
from tests.delivery.scripted import START, ServiceRefusal
from tests.local.conftest import Client
from tests.local.documents import XGBOOST


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = session(tmp_path_factory.mktemp("registry") / "root", region="us-east-1")
    yield opened.client("sagemaker")
    opened.close()


def test_a_package_says_what_it_is_made_of_and_how_good_it_is(client: Client) -> None:
    package = describe(client, add(client, 0.9476, ModelPackageDescription="a model"))
    assert (package.name, package.version, package.arn) == ("fraud/1", 1, arn_of(1))
    assert (package.approval, package.status, package.created.tzinfo is None) == (
        "PendingManualApproval",
        "Completed",
        False,
    )
    assert (package.roc_auc, package.threshold) == (0.9476, 0.85)
    assert (package.commit, package.repository) == (SHA, "https://github.com/org/fraud")
    assert (package.execution, package.evaluation) == (EXECUTION, REPORT_URI)
    assert (package.image, package.model) == (XGBOOST, "s3://models/model.tar.gz")
    assert (package.content_types, package.response_types) == (("text/csv", "application/json"), ("text/csv",))
    assert (package.instance_types, package.description) == (("ml.m5.large",), "a model")
    assert package.properties["CodeHash"] == "c0de"
    assert (package.approval_note, package.stage, package.stage_status, package.stage_note) == (None,) * 4


def test_what_was_decided_is_described(client: Client) -> None:
    arn = add(client)
    life_cycle = {"Stage": "staging", "StageStatus": "Deployed", "StageDescription": "all went well"}
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    client.update_model_package(ModelPackageArn=arn, ModelLifeCycle=life_cycle)
    package = describe(client, arn)
    assert (package.approval, package.approval_note) == ("Approved", "good")
    assert (package.stage, package.stage_status, package.stage_note) == ("staging", "Deployed", "all went well")


def test_a_package_that_tells_nothing_is_described_too() -> None:
    service = Account({"DescribeModelPackage": described()})
    package = describe(service.session.client("sagemaker"), arn_of(1))
    assert (package.roc_auc, package.threshold, package.commit, package.execution) == (None,) * 4
    assert (package.evaluation, package.labelled_rows, package.image, package.properties) == (None, None, None, {})
    assert package.created.astimezone(UTC) == START


@pytest.mark.parametrize(
    ("told", "value"),
    [("0.9", 0.9), ("1", 1.0), ("-0.1", None), ("nan", None), ("inf", None), ("good", None), ("", None), ("2", None)],
)
def test_a_number_that_is_no_roc_auc_is_not_known(told: str, value: float | None) -> None:
    service = Account({"DescribeModelPackage": described(CustomerMetadataProperties={"RocAuc": told})})
    assert describe(service.session.client("sagemaker"), arn_of(1)).roc_auc == value


def test_parameters_without_a_value_and_other_makers_are_not_known() -> None:
    metadata = {"CommitId": "unknown", "Repository": "unknown", "GeneratedBy": "arn:aws:sagemaker:x:1:training-job/a"}
    service = Account({"DescribeModelPackage": described(MetadataProperties=metadata)})
    package = describe(service.session.client("sagemaker"), arn_of(1))
    assert (package.commit, package.repository, package.execution) == (None, None, None)


def test_the_service_knows_the_execution_where_the_pipeline_does_not_tell_it() -> None:
    service = Account({"DescribeModelPackage": described(MetadataProperties={"GeneratedBy": EXECUTION})})
    assert describe(service.session.client("sagemaker"), arn_of(1)).execution == EXECUTION


def test_packages_are_listed_from_the_newest_version_on(client: Client) -> None:
    for approval in ("Approved", "Rejected", "Approved", "PendingManualApproval"):
        add(client, approval=approval)
    add(client, group="other", approval="Approved")
    assert list_arns(client, GROUP) == [arn_of(4), arn_of(3), arn_of(2), arn_of(1)]
    assert [package.version for package in approved(client, GROUP)] == [3, 1]
    assert list_arns(client, GROUP, approval="PendingManualApproval") == [arn_of(4)]


def test_every_page_is_read_and_only_what_is_wanted_is_described() -> None:
    pages = [summaries(12, 11, token="more"), summaries(10, 9)]
    service = Account({"ListModelPackages": pages, "DescribeModelPackage": described(12)})
    client = service.session.client("sagemaker")
    assert next(approved(client, GROUP)).version == 12
    assert [request["ModelApprovalStatus"] for request in service.sent("ListModelPackages")] == ["Approved"] * 2
    assert [request["ModelPackageName"] for request in service.sent("DescribeModelPackage")] == [arn_of(12)]


def test_versions_are_in_the_order_of_numbers_whenever_they_were_made() -> None:
    service = Account({"ListModelPackages": summaries(9, 10, 2)})
    assert list_arns(service.session.client("sagemaker"), GROUP) == [arn_of(10), arn_of(9), arn_of(2)]


def test_the_champion_is_the_newest_approved_version_one_apart(client: Client) -> None:
    add(client)
    assert find_champion(client, GROUP) is None
    for approval in ("Approved", "Approved", "Rejected"):
        add(client, approval=approval)
    newest, other = find_champion(client, GROUP), find_champion(client, GROUP, but=arn_of(3))
    assert (newest and newest.version, other and other.version) == (3, 2)


def test_a_version_that_was_rolled_back_is_no_champion(client: Client) -> None:
    for _ in range(2):
        add(client, approval="Approved")
    set_stage(client, arn_of(2), "production", "RolledBack", "it failed")
    champion = find_champion(client, GROUP)
    assert champion
    assert champion.version == 1


def test_a_lead_needs_both_numbers(client: Client) -> None:
    better, worse, unknown = (describe(client, add(client, value)) for value in (0.9, 0.8, None))
    assert better.lead(worse) == pytest.approx(0.1)
    assert (better.lead(None), better.lead(unknown), unknown.lead(better)) == (None, None, None)


@pytest.mark.parametrize("text", ["2", "v2", "V2", "002", arn_of(2)])
def test_a_version_is_found_by_what_people_call_it(client: Client, text: str) -> None:
    for _ in range(3):
        add(client)
    assert find(client, GROUP, text).arn == arn_of(2)


def test_a_group_in_capitals_is_found_by_the_arn_that_the_service_gives_it() -> None:
    service = Account({"ListModelPackages": summaries(3), "DescribeModelPackage": described(3)})
    assert find(service.session.client("sagemaker"), "Fraud", arn_of(3)).version == 3
    assert find(service.session.client("sagemaker"), "Fraud", "3").arn == arn_of(3)


@pytest.mark.parametrize(
    "text", ["", "latest", "-1", "1.5", "7 ", "²", "arn:aws:sagemaker:us-east-1:1:model/x", "1" * 10]
)
def test_what_names_no_version_is_refused_before_anything_is_asked(text: str) -> None:
    service = Account({})
    with pytest.raises(UsageError, match=re.escape(f"'{text}' is no model package: expected a version such as 7")):
        find(service.session.client("sagemaker"), GROUP, text)
    assert service.calls == []


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (arn_of(1, "other"), "is of group other: expected one of group fraud"),
        (arn_of(1).replace("000000000000", "111122223333"), "account 111122223333: expected one of account 000000000"),
        (arn_of(1).replace("us-east-1", "eu-west-1"), "is of region eu-west-1: expected one of region us-east-1"),
    ],
)
def test_an_arn_from_elsewhere_is_refused(client: Client, arn: str, message: str) -> None:
    add(client)
    add(client, group="other")
    with pytest.raises(UsageError, match=message):
        find(client, GROUP, arn)


@pytest.mark.parametrize(("text", "version"), [("13", 13), ("v0", 0), (arn_of(13), 13)])
def test_a_version_that_is_not_there_is_told_with_those_that_are(client: Client, text: str, version: int) -> None:
    for _ in range(12):
        add(client)
    with pytest.raises(DeliveryError) as caught:
        find(client, GROUP, text)
    there = "12, 11, 10, 9, 8, 7, 6, 5, 4, 3 and 2 older ones"
    assert str(caught.value) == f"fraud has no version {version}: there are {there}"


def test_a_group_of_one_version_says_so(client: Client) -> None:
    add(client)
    with pytest.raises(DeliveryError, match=r"fraud has no version 0: there is only 1$"):
        find(client, GROUP, "0")


def test_a_version_that_was_deleted_is_not_there(client: Client) -> None:
    arns = [add(client) for _ in range(3)]
    client.delete_model_package(ModelPackageName=arns[1])
    with pytest.raises(DeliveryError, match=r"fraud has no version 2: there are 3, 1$"):
        find(client, GROUP, "2")


def test_a_group_that_is_not_there_is_told_with_those_that_are(client: Client) -> None:
    with pytest.raises(
        DeliveryError, match="no model package group ghost in us-east-1, nor any other: run the pipeline"
    ):
        find(client, "ghost", "1")
    add(client)
    for ask in (lambda: find(client, "ghost", "1"), lambda: list_arns(client, "ghost")):
        with pytest.raises(
            DeliveryError, match="there is no model package group ghost in us-east-1: give --group one of fraud"
        ):
            ask()


def test_who_may_not_list_groups_is_told_of_the_missing_one_all_the_same() -> None:
    missing = ServiceRefusal("ValidationException", "Model Package Group ghost does not exist")
    denied = ServiceRefusal("AccessDeniedException", "not yours")
    service = Account({"ListModelPackages": missing, "ListModelPackageGroups": denied})
    with pytest.raises(
        DeliveryError, match="there is no model package group ghost in us-east-1: name another one with --group"
    ):
        find(service.session.client("sagemaker"), "ghost", "1")


def test_an_empty_group_has_no_version(client: Client) -> None:
    client.create_model_package_group(ModelPackageGroupName=GROUP)
    with pytest.raises(DeliveryError, match="model package group fraud has no versions yet: run the pipeline"):
        find(client, GROUP, "1")
    assert list_arns(client, GROUP) == []


@pytest.mark.parametrize("operation", ["ListModelPackages", "DescribeModelPackage"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_what_aws_refuses_is_not_taken_for_what_is_missing(operation: str, code: str) -> None:
    answers = {"ListModelPackages": summaries(1), "DescribeModelPackage": described()}
    service = Account({**answers, operation: ServiceRefusal(code, "no")})
    with pytest.raises(ClientError, match=code):
        find(service.session.client("sagemaker"), GROUP, "1")


def test_a_version_that_is_listed_but_not_described_is_the_services_matter() -> None:
    refusal = ServiceRefusal("ValidationException", "1 validation error detected")
    service = Account({"ListModelPackages": summaries(1), "DescribeModelPackage": refusal})
    with pytest.raises(ClientError, match="1 validation error detected"):
        find(service.session.client("sagemaker"), GROUP, "1")
