"""What each provider of CI needs in the account: an identity provider, or a connection that somebody authorised."""

import pytest

from pipelines.adoption.doctor.connection import check_connection
from pipelines.adoption.doctor.finding import Verdict
from pipelines.adoption.doctor.oidc import check_provider
from tests.adoption.aws import CONNECTION, PROVIDER, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.doctor.subjects import only, problem, subject

OTHER = CONNECTION.replace("0a1b", "ffff")
ADDED = {"OpenIDConnectProviderArn": PROVIDER, "ClientID": "sts.amazonaws.com"}
CONSOLE = "https://eu-west-1.console.aws.amazon.com/codesuite/settings/connections"


def test_a_provider_that_is_there_is_named_for_the_project(well: MotoAws) -> None:
    found = only(check_provider(subject(well)))
    assert found.verdict is Verdict.OK
    assert found.says == f"there already: the project's GitHubOidcProviderArn is {PROVIDER}"


def test_without_a_provider_the_fix_makes_one(aws: MotoAws) -> None:
    other = "https://token.example.com"
    aws.client("iam").create_open_id_connect_provider(Url=other, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[])
    found = problem(check_provider, subject(aws))
    assert found.says == "the account has none of token.actions.githubusercontent.com"
    carry_out(found.steps[0])
    assert only(check_provider(subject(aws))).verdict is Verdict.OK


def test_a_provider_for_others_than_sts_is_a_problem(aws: MotoAws) -> None:
    url = f"https://{PROVIDER.partition('/')[2]}"
    aws.client("iam").create_open_id_connect_provider(Url=url, ClientIDList=["sigstore"], ThumbprintList=[])
    found = problem(check_provider, subject(aws))
    assert found.says == f"{PROVIDER} is for other audiences than sts.amazonaws.com"
    aws.answers["AddClientIDToOpenIDConnectProvider"] = lambda request: {} if request == ADDED else None
    carry_out(found.steps[0])


def test_a_connection_that_is_authorised_is_named_for_the_project(aws: MotoAws) -> None:
    aws.connections = {OTHER: "PENDING", CONNECTION: "AVAILABLE"}
    found = only(check_connection(subject(aws)))
    assert (found.verdict, found.says) == (Verdict.OK, f"the project's ConnectionArn is {CONNECTION}")


@pytest.mark.parametrize("status", ["PENDING", "ERROR"])
def test_a_connection_that_nobody_has_authorised_is_a_problem(aws: MotoAws, status: str) -> None:
    aws.connections = {CONNECTION: status}
    found = problem(check_connection, subject(aws))
    assert found.says == f"{CONNECTION} is {status}: nobody has authorised it"
    assert found.steps == (f"update the connection: {CONSOLE}",)


def test_the_connection_that_is_given_is_the_one_that_counts(aws: MotoAws) -> None:
    aws.connections = {OTHER: "PENDING", CONNECTION: "AVAILABLE"}
    assert problem(check_connection, subject(aws, connection=OTHER)).says.startswith(f"{OTHER} is PENDING")
    assert only(check_connection(subject(aws, connection=CONNECTION))).verdict is Verdict.OK


def test_without_a_connection_one_is_made_and_authorised(aws: MotoAws) -> None:
    create, authorise = problem(check_connection, subject(aws)).steps
    aws.answers["CreateConnection"] = lambda request: (
        aws.connections.update({CONNECTION: "PENDING"}) or {"ConnectionArn": CONNECTION}
    )
    carry_out(create)
    assert aws.sent("CreateConnection") == [{"ProviderType": "GitHub", "ConnectionName": "github"}]
    assert problem(check_connection, subject(aws)).says.startswith(f"{CONNECTION} is PENDING")
    assert authorise == f"authorise it: {CONSOLE}"


def test_all_pages_of_connections_are_read(aws: MotoAws) -> None:
    entries = [
        {"ConnectionArn": arn, "ConnectionName": "x", "ConnectionStatus": status}
        for arn, status in ((OTHER, "PENDING"), (CONNECTION, "AVAILABLE"))
    ]
    aws.answers["ListConnections"] = lambda request: (
        {"Connections": entries[1:]} if request.get("NextToken") else {"Connections": entries[:1], "NextToken": "more"}
    )
    assert only(check_connection(subject(aws))).verdict is Verdict.OK
