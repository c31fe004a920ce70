"""What a deployment leaves for machines and for people: the JSON of its schema, the summary, and CI's page."""

import json
import re
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pipelines.delivery.deployment.outcome import make_outcome, write_outcome
from pipelines.delivery.deployment.result import EXIT_CODES, Result
from pipelines.delivery.deployment.summary import append_markdown, call_of, markdown, markdown_of_error, summarize
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import BROKEN, PRODUCTION, STAGING, Scene

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "docs" / "deployment.schema.json").read_text(encoding="utf-8"))


def deployed(scene: Scene) -> Result:
    return scene.deploy(STAGING, "1")


def unchanged(scene: Scene) -> Result:
    deployed(scene)
    return deployed(scene)


def rolled_back(scene: Scene) -> Result:
    deployed(scene)
    scene.add(3, BROKEN)
    return scene.deploy(STAGING, "3")


def removed(scene: Scene) -> Result:
    scene.add(3, Model(starts=False))
    return scene.deploy(STAGING, "3")


def failed(scene: Scene) -> Result:
    scene.deploy(PRODUCTION, "1")
    scene.aws.endpoints.models[1] = BROKEN
    return scene.deploy(PRODUCTION, "1")


def returned(scene: Scene) -> Result:
    scene.deploy(PRODUCTION, "1")
    scene.deploy(PRODUCTION, "2")
    return scene.roll_back(PRODUCTION)


def torn_down(scene: Scene) -> Result:
    deployed(scene)
    return scene.tear_down(STAGING)


MAKERS: list[Callable[[Scene], Result]] = [deployed, unchanged, rolled_back, removed, failed, returned, torn_down]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def result(request: pytest.FixtureRequest) -> Result:
    made: Result = request.param(Scene())
    assert made.outcome == request.param.__name__
    return made


def test_every_outcome_is_of_the_schema(result: Result, tmp_path: Path) -> None:
    write_outcome(result, tmp_path / "outcome.json")
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(outcome)
    assert (outcome["outcome"], outcome["exit_code"]) == (result.outcome, EXIT_CODES[result.outcome])


def test_a_disk_that_is_full_is_said_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_text("earlier")
    result, limits = deployed(Scene()), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match=re.escape(f"'{tmp_path / 'outcome.json'}'")):
            write_outcome(result, tmp_path / "outcome.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["outcome.json"]
    assert (tmp_path / "outcome.json").read_text() == "earlier"


def test_the_schema_knows_each_member_and_outcome_and_no_other() -> None:
    assert set(SCHEMA["properties"]["outcome"]["enum"]) == set(EXIT_CODES)
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(make_outcome(deployed(Scene())))
    assert [maker.__name__ for maker in MAKERS] == list(SCHEMA["properties"]["outcome"]["enum"])


def test_the_summary_says_in_its_first_line_how_it_ended(result: Result) -> None:
    empty, headline, *rest = summarize(result)
    assert empty == ""
    assert headline.startswith(f"{result.outcome.replace('_', ' ').upper()}: {result.reason} (")
    assert f"  endpoint        {result.order.endpoint}" in rest


def test_ci_shows_the_same(result: Result, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    append_markdown(markdown(result), page)
    assert page.read_text().startswith(f"before\n## {result.order.stage}: {result.outcome.replace('_', ' ')}\n")


def test_what_failed_is_marked_in_the_summary() -> None:
    lines = list(summarize(rolled_back(Scene())))
    assert [line for line in lines if line.endswith("<- NOT passed")] == [
        "  answers         the model answered text/csv with 500: division by zero <- NOT passed"
    ]
    assert any(line.startswith("  test of what serves now, fraud-staging-v1-") for line in lines)
    assert "  logs            /aws/sagemaker/Endpoints/fraud-staging" in lines


def test_text_of_a_model_breaks_no_page() -> None:
    scene = Scene()
    scene.add(3, Model(raises="<script>|`rm`\n## header"))
    page = "\n".join(markdown(scene.deploy(STAGING, "3")))
    assert "&lt;script>\\|'rm' ## header" in page
    assert "\n## header" not in page
    assert list(markdown_of_error(STAGING, "a|b\nc")) == ["## staging: failed", "", "a\\|b c"]


def test_the_call_reaches_the_endpoint_where_it_is_and_only_here_has_a_real_row() -> None:
    result = deployed(Scene())
    command = call_of(result)
    assert command
    assert command.startswith("aws sagemaker-runtime invoke-endpoint --endpoint-name fraud-staging --content-type app")
    assert command.endswith(" --body fileb://row.json /dev/stdout")
    assert "amount" not in "\n".join(summarize(result))
    local = call_of(replace(result, url="http://127.0.0.1:8100"))
    assert local
    assert local.startswith("curl -sS http://127.0.0.1:8100/invocations -H 'Content-Type: application/json'")
    assert '{"instances":[{"amount":0.0,"kind":null}]}' in local
