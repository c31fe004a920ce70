"""What docs/deploy.md says of deployments is what comes of its commands."""

import json
from pathlib import Path
from typing import get_args

from pipelines.delivery.deployment import alarms, endpoint_test
from pipelines.delivery.deployment.plan import ENDPOINT_TAG, STAGE_TAG
from pipelines.delivery.deployment.result import Action, Outcome
from pipelines.fraud.settings import PIPELINE_NAME
from tests.docs.pages import PAGES, REPOSITORY, blocks, quoted, rows, section
from tests.docs.test_commands import Shell

PAGE = PAGES["docs/deploy.md"]
SCHEMA = json.loads((REPOSITORY / "docs" / "deployment.schema.json").read_text())


def test_the_commands_do_what_is_said_of_them(tmp_path: Path, sample_code: Path) -> None:
    shell = Shell(tmp_path, sample_code)
    (block,) = blocks(PAGE, "sh")
    commands = block.splitlines()
    teardowns = [command for command in commands if "--teardown" in command]
    assert len(teardowns) == 2
    try:
        for command in commands:
            shell.type(command)
    finally:
        # What the commands leave running must not outlive a test that fails.
        for command in teardowns:
            shell.type(command)
    deployments = [command for command in commands if command.startswith("deploy-model") and command not in teardowns]
    staging, production = (shell.printed[command].partition("\n\n")[2] for command in deployments)
    assert staging.startswith(f"DEPLOYED: {PIPELINE_NAME}/1 serves at endpoint {PIPELINE_NAME}-staging and passed")
    assert production.startswith(
        f"DEPLOYED: {PIPELINE_NAME}/1 serves at endpoint {PIPELINE_NAME}-production and passed"
    )
    assert "call it: curl -sS http://127.0.0.1:" in staging
    assert all("there was nothing to remove" in shell.printed[command] for command in teardowns)


def test_every_outcome_and_every_member_is_documented() -> None:
    tables = rows(section("docs/deploy.md", "For machines"))
    documented = {name for row in tables for name in quoted(row[0])}
    assert documented == set(SCHEMA["properties"])
    outcomes = {name for row in tables if row[0] == "`outcome`" for name in quoted(row[1])}
    outcomes |= {name for row in rows(section("docs/deploy.md", "When it fails")) for name in quoted(row[2])}
    assert outcomes == set(get_args(Outcome))
    assert {name for row in tables if row[0] == "`action`" for name in quoted(row[1])} == set(get_args(Action))


def test_every_check_is_documented() -> None:
    names = SCHEMA["$defs"]["test"]["properties"]["checks"]["items"]["properties"]["name"]["enum"]
    assert [row[0] for row in rows(section("docs/deploy.md", "The test"))] == names
    assert f"up to {endpoint_test.SINGLE_ROWS} rows one by one" in PAGE


def test_the_names_of_what_is_made_are_documented() -> None:
    made = {row[0]: row[1] for row in rows(section("docs/deploy.md", "Step by step"))}
    assert quoted(made["alarms, in production"]) == list(alarms.alarm_names("<endpoint>"))
    assert all(f"`{tag}`" in PAGE for tag in (ENDPOINT_TAG, STAGE_TAG))
