"""The pages of endpoints, with real ones behind them, and claims that are sent to one in a browser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.delivery.registry import GROUP, add
from tests.local.documents import BUCKET, ROLE, XGBOOST
from tests.local.hosted import archive, end_processes, variant, wait_until
from tests.ui.browsing import Client
from tests.ui.conftest import serving

ENDPOINT = "fraud-staging"
PLACE = f"/endpoints/{ENDPOINT}"
# Scores each claim, refuses one without an age, and breaks at one of 99.
SCRIPT = """
import json

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    if content_type == "text/csv":
        header, *rows = text.splitlines()
        claims = [dict(zip(header.split(","), row.split(","))) for row in rows]
    else:
        claims = json.loads(text)["instances"]
    if any(not claim.get("age") for claim in claims):
        raise ValueError("column 'age': expected a number <here>, found nothing")
    if any(claim["age"] in (99, "99") for claim in claims):
        raise RuntimeError("no such thing")
    if accept == "text/csv":
        return "\\n".join("0.25" for _ in claims), accept
    return json.dumps({"predictions": [{"score": 0.25} for _ in claims]}), accept
"""
LABELLED = "fraud,age,state\n1,41,NY\n0,52,\n"


def add_version(site: Site, script: str = SCRIPT, **properties: str) -> str:
    """Register and approve a version whose model runs a script; it keeps labelled rows."""
    site.s3.create_bucket(Bucket=BUCKET)
    site.s3.put_object(Bucket=BUCKET, Key="labelled.csv", Body=LABELLED.encode())
    model = f"s3://{BUCKET}/{abs(hash(script))}/model.tar.gz"
    site.s3.put_object(Bucket=BUCKET, Key=model.split("/", 3)[3], Body=archive(inference=script))
    code = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {
        "Image": XGBOOST,
        "ModelDataUrl": model,
        "Environment": {**code, "SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv", "application/json"],
        "SupportedResponseMIMETypes": ["text/csv", "application/json"],
    }
    told = {"LabelledRows": f"s3://{BUCKET}/labelled.csv", **properties}
    return add(site.client, approval="Approved", InferenceSpecification=specification, CustomerMetadataProperties=told)


def add_model(site: Site, package: str, name: str) -> str:
    """Make a model of a version, and return its name."""
    site.client.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}])
    return name


def add_config(site: Site, model: str) -> str:
    """Make what an endpoint is to serve, and return its name, which is the model's."""
    client: Any = site.client
    client.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant(model=model)])
    return model


def serve(site: Site, model: str, until: str = "InService") -> None:
    """Create the endpoint, and wait until it is so far."""
    site.client.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=add_config(site, model))
    wait_until(lambda: status(site) == until, f"the endpoint to be {until}")


def claim_in(window: Page) -> Locator:
    """The field with the text that is sent."""
    return window.get_by_label("Claim", exact=True)


def status(site: Site) -> str:
    return site.client.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an endpoint that serves the first version; tests leave it as it is."""
    root = tmp_path_factory.mktemp("endpoint") / "root"
    with serving(root) as (site, server):
        serve(site, add_model(site, add_version(site), "first"))
        yield f"{server.url}{PLACE}"
    end_processes(root)


@pytest.fixture
def site(fresh: tuple[Site, Server]) -> Site:
    return fresh[0]


@pytest.fixture
def url(fresh: tuple[Site, Server]) -> str:
    return fresh[1].url


def test_without_endpoints_the_page_says_how_one_comes_to_be(url: str) -> None:
    client = Client(url)
    answer = client.get("/endpoints")
    assert (answer.status, "deploy-model --stage staging --local" in answer.words) == (200, True)
    assert client.get("/endpoints/nowhere").status == 404


def test_an_endpoint_tells_what_it_serves_and_its_logs(endpoint: str) -> None:
    client = Client(endpoint)
    row = client.get("/endpoints").section(f"endpoint-{ENDPOINT}")
    assert ("InService" in row, f"{GROUP}/1" in row) == (True, True)
    answer = client.get(PLACE)
    assert "100 % of the requests, 1 × ml.m5.large, model first" in answer.section("state")
    assert f"/registry/{GROUP}/1" in answer.page.links
    assert "InService, serving first" in answer.section("logs")
    assert "Booting worker" in answer.section("logs")


def test_a_claim_is_sent_as_it_was_filled_in(window: Page, endpoint: str) -> None:
    window.goto(endpoint)
    expect(window.get_by_text("Claim 1 of the 2 that the version was tested with; its label is 1.")).to_be_visible()
    assert json.loads(claim_in(window).input_value()) == {"instances": [{"age": 41, "state": "NY"}]}
    window.get_by_role("button", name="Send").click()
    answer = window.locator("#answer")
    expect(answer).to_contain_text('"score": 0.25')
    expect(answer).to_contain_text(re.compile(r"status\s*200\s*the model took it\s*took\s*[\d.]+ m?s"))
    expect(answer).to_contain_text("primary")
    # The answer is to be held against what is true.
    expect(answer).to_contain_text(re.compile(r"label\s*1\s*what is true of claim 1$", re.MULTILINE))
    expect(window.get_by_text("Claim 1 of the 2 that the version was tested with; its label is 1.")).to_be_visible()
    # What was sent is there to be changed and sent again.
    expect(claim_in(window)).to_have_value(re.compile('"age": 41'))
    window.get_by_role("link", name="The next one").click()
    expect(window.get_by_text("Claim 2 of the 2")).to_be_visible()


def test_another_claim_and_another_type_are_a_link_away(window: Page, endpoint: str) -> None:
    window.goto(endpoint)
    window.get_by_role("link", name="The next one").click()
    expect(window.get_by_text("Claim 2 of the 2")).to_be_visible()
    window.get_by_role("link", name="as text/csv").click()
    expect(window.get_by_label("Type")).to_have_value("text/csv")
    assert claim_in(window).input_value() == "age,state\n52,\n"
    claim_in(window).fill("age,state\n52,\n53,\n")
    window.get_by_role("button", name="Send").click()
    expect(window.locator("#answer pre")).to_have_text("0.25\n0.25")
    expect(window.locator("#answer")).to_contain_text("what is true of claim 2, which was changed")
    expect(window.locator("#sample")).to_contain_text("The text below is not the claim's any more.")


@pytest.mark.parametrize(
    ("age", "code", "meaning", "text"),
    [
        ("", "400", "the model refused it", "column 'age': expected a number <here>, found nothing"),
        ("99", "500", "the model failed", "no such thing"),
    ],
)
def test_what_the_model_answers_to_a_bad_claim_is_shown_as_it_is(
    window: Page, endpoint: str, age: str, code: str, meaning: str, text: str
) -> None:
    window.goto(f"{endpoint}?form=text/csv")
    claim_in(window).fill(f"age,state\n{age},NY\n")
    window.get_by_role("button", name="Send").click()
    answer = window.locator("#answer")
    expect(answer).to_contain_text(code)
    expect(answer).to_contain_text(meaning)
    expect(answer.locator("pre")).to_contain_text(text)
    expect(claim_in(window)).to_have_value(f"age,state\n{age},NY\n")


def test_a_claim_that_the_service_refuses_is_told_in_one_line(endpoint: str) -> None:
    client = Client(endpoint)
    page = client.get(PLACE).text
    token = re.findall(r'name="token" value="([0-9a-f]+)"', page)[0]
    fields = {"token": token, "form": "text/csv", "text": "x" * (7 << 20)}
    answer = client.post(PLACE, fields)
    assert "413 in InvokeEndpoint" in answer.section("answer")
    answer = client.post(PLACE, fields | {"text": "a", "variant": "green"})
    assert "ValidationError in InvokeEndpoint" in answer.section("answer")
    assert "green" in answer.section("answer")


def test_an_update_is_seen_while_somebody_types(site: Site, url: str, window: Page) -> None:
    serve(site, add_model(site, add_version(site), "first"))
    window.goto(f"{url}{PLACE}")
    claim_in(window).fill("what I was about to send")
    claim_in(window).focus()
    config = add_config(site, add_model(site, add_version(site, SCRIPT.replace("0.25", "0.75")), "second"))
    site.client.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
    expect(window.locator("#state")).to_contain_text(f"{GROUP}/2", timeout=60_000)
    expect(window.locator("#state")).to_contain_text("InService")
    expect(window.locator("#logs")).to_contain_text("InService, serving second")
    expect(claim_in(window)).to_have_value("what I was about to send")
    expect(claim_in(window)).to_be_focused()


def test_an_endpoint_that_failed_says_why_and_takes_no_claim(site: Site, url: str) -> None:
    broken = SCRIPT.replace("    return None", '    raise OSError("no weights")', 1)
    serve(site, add_model(site, add_version(site, broken), "broken"), until="Failed")
    answer = Client(url).get(PLACE)
    assert "did not pass the ping health check" in answer.section("state")
    assert "It takes none while it is Failed" in answer.section("claim")


def test_an_endpoint_of_a_model_that_no_package_tells_of_begins_with_no_sample(site: Site, url: str) -> None:
    described: Any = site.client.describe_model_package(ModelPackageName=add_version(site))
    container = described["InferenceSpecification"]["Containers"][0]
    site.client.create_model(ModelName="alone", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    serve(site, "alone")
    answer = Client(url).get(PLACE)
    assert "There is no sample to begin with: no model package tells what this endpoint takes." in answer.words
    assert "no model package of the registry" in answer.section("state")
