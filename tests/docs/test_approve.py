"""What docs/approve.md says of decisions is what comes of its commands."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from pipelines.delivery.approval.decision import Decision, decide
from pipelines.delivery.caller import Caller
from pipelines.delivery.lifecycle import STAGES, StageStatus
from pipelines.delivery.packages import describe
from pipelines.fraud.settings import PIPELINE_NAME
from pipelines.local.session import session
from tests.delivery.registry import ADA, add
from tests.docs.pages import PAGES, REPOSITORY, as_here, blocks, quoted, rows, section
from tests.docs.test_commands import Shell

PAGE = PAGES["docs/approve.md"]
# Ages, which make a column wider too, and what is typed to call a command.
NEVER_THE_SAME = re.compile(r" +\d+ s$|(?<=commit) +|python -m pipelines\.approve_model|approve-model", re.MULTILINE)


def test_the_commands_do_what_is_said_of_them(tmp_path: Path, sample_code: Path) -> None:
    shell = Shell(tmp_path, sample_code)
    typed = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    for command in typed:
        shell.type(command)
    (table,) = blocks(section("docs/approve.md", "What waits"), "text")
    assert NEVER_THE_SAME.sub("", shell.printed["approve-model --local"]) == NEVER_THE_SAME.sub("", as_here(table))
    assert "Approved" in shell.printed["approve-model --all --local"].splitlines()[-1]
    assert shell.printed[typed[-1]].startswith(f"{PIPELINE_NAME}/1 is Approved, production: Approved")


def test_the_example_of_a_note_is_what_decisions_write(tmp_path: Path) -> None:
    with session(tmp_path / "root") as opened:
        client = opened.client("sagemaker")
        arn = add(client)
        for decision, day, hour, minute in (
            (Decision(approves=True, note="good"), 1, 9, 0),
            (Decision(approves=False, note="wrong data"), 2, 3, 4),
        ):
            now = datetime(2026, 1, day, hour, minute, tzinfo=UTC)
            decide(client, describe(client, arn), decision, Caller(ADA), now)
        (example,) = blocks(section("docs/approve.md", "A decision"), "text")
        assert " ".join(example.split()) == describe(client, arn).approval_note


def test_stages_and_their_statuses_are_documented() -> None:
    documented = {row[0].strip("`"): quoted(row[1]) for row in rows(section("docs/approve.md", "Stages"))}
    assert documented["Stage"] == list(STAGES)
    assert documented["StageStatus"] == list(get_args(StageStatus))


def test_every_member_of_the_schema_is_documented() -> None:
    schema = json.loads((REPOSITORY / "docs" / "approval.schema.json").read_text())
    tables = rows(section("docs/approve.md", "For machines"))
    documented = {name for row in tables for name in quoted(row[0])}
    decision = schema["properties"]["decision"]["properties"]
    assert documented == {*schema["properties"], *schema["$defs"]["package"]["properties"], *decision}
