"""What no page of this server would send, and what stands in no registry but a hostile one."""

import json

import pytest

from pipelines.delivery.run import Site
from pipelines.ui.app import make_app
from pipelines.ui.security import Tokens
from pipelines.ui.server import AppServer, Server
from tests.delivery.registry import GROUP, REPORT, add, arn_of
from tests.ui.browsing import Client
from tests.ui.test_decisions import sent

VERSION = f"/registry/{GROUP}/1"
ENDPOINT = "/endpoints/e"
Fresh = tuple[Site, Server]


def test_a_decision_that_does_not_say_what_was_seen_is_told_so(fresh: Fresh) -> None:
    site, server = fresh
    add(site.client)
    fields = sent(server, "approve")
    del fields["seen"]
    answer = Client(server.url).post(VERSION, fields)
    assert answer.status == 400
    assert "the form does not say what its page has shown: load the page again; nothing was changed" in answer.words
    assert site.client.describe_model_package(ModelPackageName=arn_of(1))["ModelApprovalStatus"] == (
        "PendingManualApproval"
    )


@pytest.mark.parametrize("path", ["/registry/nowhere/1", "/?after=bogus", "/endpoints?after=x"])
def test_a_mistake_in_an_address_is_told_without_advice_for_commands(fresh: Fresh, path: str) -> None:
    site, server = fresh
    add(site.client)
    answer = Client(server.url).get(path)
    assert answer.status in {400, 404}
    assert "--" not in answer.words
    assert "Next:" not in answer.words


def test_a_version_is_compared_by_its_evaluation_where_nothing_else_tells_how_good_it_is(fresh: Fresh) -> None:
    site, server = fresh
    add(site.client, 0.9, approval="Approved")
    add(site.client, None)
    site.s3.create_bucket(Bucket="reports")
    site.s3.put_object(Bucket="reports", Key="evaluation.json", Body=json.dumps(REPORT).encode())
    words = Client(server.url).get(f"/registry/{GROUP}/compare?version=2&version=1").words
    assert "ROC AUC 0.9476 0.9" in words
    assert "against version 1 +0.0476 itself" in words


@pytest.mark.parametrize("fields", [{"form": "text/csv\r\nX-More: 1"}, {"form": "é"}, {"variant": "é\n"}])
def test_a_type_or_a_variant_that_no_page_offers_is_not_sent(fresh: Fresh, fields: dict[str, str]) -> None:
    site, _ = fresh
    document = {"EndpointName": "e", "EndpointArn": "arn", "EndpointStatus": "Failed", "CreationTime": 1}
    database = site.session.sagemaker.machine.database  # type: ignore[attr-defined] # the local session's
    database.put("endpoint", "e", {**document, "LastModifiedTime": 1, "EndpointConfigName": "c"})
    own = AppServer(lambda port: make_app(site, port=port, token=b"known"))
    try:
        token = Tokens(b"known").make(ENDPOINT)
        answer = Client(own.url).post(ENDPOINT, {"token": token, "text": "1", **fields})
    finally:
        own.close()
    assert (answer.status, "nothing was sent" in answer.words) == (400, True)


def test_letters_that_no_text_has_are_shown_as_such(fresh: Fresh) -> None:
    site, server = fresh
    add(site.client, ModelPackageDescription="half \ud83d a letter")
    answer = Client(server.url).get(VERSION)
    assert (answer.status, "half ? a letter" in answer.words) == (200, True)
