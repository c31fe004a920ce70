"""The page on data: its example runs in a copy of the checkout, and its schemas are what it says of them."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from columns import KINDS, MAX_CATEGORIES, DataError, make_schema
from pipelines.fraud.dataset import SCHEMA
from tests.docs.pages import PAGES, REPOSITORY, blocks, quoted, rows, section
from tests.docs.test_commands import Shell
from tests.workflows.conftest import copy_tree

PAGE = "docs/data.md"
EXAMPLE = "An example: breast cancer"


def test_the_example_goes_from_foreign_data_to_an_endpoint_that_passes_its_test(tmp_path: Path) -> None:
    text = section(PAGE, EXAMPLE)
    checkout = copy_tree(REPOSITORY, tmp_path / "checkout")
    shell = Shell(checkout, checkout)
    (program,), (typed,), (said,) = (blocks(text, language) for language in ("python", "sh", "text"))
    shell.run_program(program)
    draft, run, approve, deploy, teardown = typed.splitlines()
    try:
        shell.type(draft)
        assert shell.said == said
        for command in (run, approve, deploy):
            shell.type(command)
        shell.type(f"{run} --parameter RocAucThreshold=0.999", exit_code=3)
    finally:
        shell.type(teardown)
    ran, deployed = shell.printed[run], shell.printed[deploy]
    (found,) = re.findall(r"ROC AUC +([0-9.]+) <= 0.85 is false", ran)
    assert float(found) > 0.99
    assert "Tune" not in ran
    assert "passed its test" in deployed
    assert "113 predictions for 113 rows" in deployed
    assert "113 tumours" in text
    assert "`--parameter RocAucThreshold=0.999`" in text
    assert f"ROC AUC         {found}, registered {found}: +0.0000" in deployed
    assert "CSV and JSON give the same numbers" in deployed
    assert "TORN DOWN" in shell.printed[teardown]


def test_the_schema_that_the_page_shows_is_one() -> None:
    (shown,) = blocks(section(PAGE, "The schema"), "json")
    document = json.loads(shown)
    schema = make_schema(document, "schema.json")
    assert schema.names == ["plan", "city", "months", "minutes"]
    members = {row[0].strip("`") for row in rows(section(PAGE, "The schema"))}
    assert members == {*document, *KINDS}


def test_every_kind_of_a_column_is_documented_with_its_members() -> None:
    documented = {row[0].strip("`"): set(quoted(row[2])) for row in rows(section(PAGE, "The schema")) if len(row) == 3}
    assert documented == {kind: set(members) for kind, members in KINDS.items()}
    assert f"{MAX_CATEGORIES} at most" in PAGES[PAGE]


def renamed_label(document: dict[str, Any]) -> None:
    document["tables"]["claims"][-1]["kind"] = "integer"


def hour(**members: str) -> Any:
    return lambda document: document["tables"]["claims"][-2].update(members)


def test_what_is_wrong_with_a_schema_is_quoted_word_for_word() -> None:
    messages = []
    for mistake in (renamed_label, hour(kind="hour"), hour(max="23")):
        document = copy.deepcopy(SCHEMA)
        mistake(document)
        with pytest.raises(DataError) as caught:
            make_schema(document, "schema.json")
        messages.append(str(caught.value))
    _, quotation = blocks(section(PAGE, "What is refused"), "text")
    assert messages == quotation.splitlines()
