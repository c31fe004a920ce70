"""The schema file: what it says about a table, and one line for each thing that can be wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import preprocess
from columns import MAX_CATEGORIES, DataError, load_schema
from tests.fraud.scripts.own_data import Json, make, passengers_schema

Edit = Callable[[Json], Any]


def written(folder: Path, document: Any) -> Path:
    file = folder / "schema.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def first(**members: Any) -> Edit:
    """Changes the first column, the category port."""

    def edit(document: Json) -> None:
        document["tables"]["passengers"][0] |= members

    return edit


def column(**members: Any) -> Edit:
    """Adds a column."""
    return lambda document: document["tables"]["passengers"].append(members)


def top(**members: Any) -> Edit:
    return lambda document: document.update(members)


def without(name: str) -> Edit:
    return lambda document: document.pop(name)


def second_table(name: str, *columns: Json) -> Edit:
    return lambda document: document["tables"].update({name: list(columns)})


PORT = "table 'passengers', column 'port': "
NEW = "table 'passengers', column 'new': "
WRONG: list[tuple[Edit, str]] = [
    (without("label"), "label is missing; found: drop, tables"),
    (without("tables"), "tables is missing; found: label, drop"),
    (top(target="x"), "'target' is not known; allowed: drop, id, label, tables"),
    (top(label=3), "label is 3; give a text in quotes"),
    (
        top(label="fare"),
        "label is 'fare', and the columns of the kind label are: survived; give one of them, by that name",
    ),
    (
        column(name="died", kind="label"),
        "label is 'survived', and the columns of the kind label are: survived, died; give",
    ),
    (top(id=7), "id is 7; give a text in quotes"),
    (top(id="ticket"), "table 'passengers': id is \"ticket\", and its columns of the kind id are: none; give one"),
    (column(name="ticket2", kind="id"), "table 'passengers': id is null, and its columns of the kind id are: ticket2;"),
    (top(drop="ticket"), 'drop is "ticket"; give a list of names of columns'),
    (top(drop=["fare"]), "column 'fare': stands in passengers and under drop; leave it in one of them"),
    (top(tables={}), "tables has none; give one at least"),
    (top(tables={"passengers": []}), "table 'passengers' has no list of columns; give one at least"),
    (
        top(tables={"../x": [{"name": "a", "kind": "label"}]}, label="a"),
        "table '../x': files cannot be called so; give",
    ),
    (top(tables={"x": [{"name": "a", "kind": "label"}]}, label="a"), "there are no features; give one column at least"),
    (top(tables={"x": ["a"]}), "table 'x', column 1: \"a\" is not an object with the members kind, name"),
    (second_table("pass", {"name": "x", "kind": "number"}), "tables 'pass' and 'passengers': files of one would count"),
    (second_table("crew", {"name": "x", "kind": "number"}), "tables passengers, crew have no id; name the column that"),
    (second_table("crew", {"name": "fare", "kind": "number"}), "column 'fare': stands in passengers and in crew; name"),
    (column(name="port", kind="number"), "column 'port': stands in passengers twice; name each once"),
    (column(kind="number"), "table 'passengers', column 6: name is missing; found: kind"),
    (column(name="", kind="number"), "table 'passengers', column 6: name is \"\"; give a text in quotes"),
    (column(name="new"), f"{NEW}kind is missing; found: name"),
    (column(name="new", kind="text"), f'{NEW}kind "text" is not known; allowed: id, label, category, integer, number'),
    (column(name="new", kind="number", unit="m"), f"{NEW}'unit' is not known; allowed:"),
    (
        column(name="new", kind="number", categories=["a"]),
        f"{NEW}'categories' is not known; allowed: kind, maximum, min",
    ),
    (column(name="new", kind="number", minimum="0"), f'{NEW}"0" is no bound; give a number'),
    (column(name="new", kind="number", minimum=True), f"{NEW}true is no bound; give a number"),
    (column(name="new", kind="number", maximum=float("nan")), f"{NEW}NaN is no bound; give a number"),
    (column(name="new", kind="integer", minimum=3, maximum=2), f"{NEW}minimum 3 is above maximum 2"),
    (column(name="new[0]", kind="number"), "column 'new[0]': XGBoost takes no name with [, ] or <; rename it here and"),
    (column(name="new", kind="id", type="number"), f'{NEW}type "number" is not known; allowed: text, integer'),
    (first(categories=[]), f"{PORT}categories has none; list them, or leave it out to have them learned"),
    (first(categories=["a", 1]), f"{PORT}a category is 1; give a text in quotes"),
    (first(categories=["a", ""]), f'{PORT}a category is ""; give a text in quotes'),
    (first(categories=["a", "b", "a"]), f"{PORT}category 'a' stands there twice"),
    (first(categories=[str(number) for number in range(257)]), f"{PORT}257 categories; allowed: {MAX_CATEGORIES} at"),
    (first(aliases={"b": "a"}), f"{PORT}aliases without categories; list the categories too"),
    (first(categories=["a"], aliases={"b": "c"}), f'{PORT}alias "b" of "c"; allowed: another text for a category'),
    (first(categories=["a"], aliases={"a": "a"}), f'{PORT}alias "a" of "a"; allowed: another text for a category'),
    (first(categories=["a"], aliases=["b"]), f'{PORT}alias null of ["b"]; allowed: another text for a category'),
    (first(kind="label", positive=1), f"{PORT}positive is 1; give a text in quotes"),
]


@pytest.mark.parametrize(("edit", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_mistake_in_the_schema_is_told_in_one_line(edit: Edit, message: str, tmp_path: Path) -> None:
    document = passengers_schema()
    edit(document)
    with pytest.raises(DataError) as caught:
        load_schema(written(tmp_path, document))
    assert str(caught.value).startswith(f"schema.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [[], "x", None, 3])
def test_a_schema_that_is_no_object_is_refused(document: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^schema\.json: .* is not an object with the members label, tables$"):
        load_schema(written(tmp_path, document))


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_schema_that_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"^schema\.json: not JSON: "):
        load_schema(file)


def test_null_is_the_same_as_left_out(tmp_path: Path) -> None:
    document = passengers_schema()
    left_out = load_schema(written(tmp_path, document))
    document["tables"]["passengers"][0]["categories"] = None
    assert load_schema(written(tmp_path, {**document, "id": None})) == left_out


def test_ids_of_two_types_are_refused(tmp_path: Path) -> None:
    document = {
        "id": "key",
        "label": "y",
        "tables": {
            "a": [{"name": "key", "kind": "id"}, {"name": "y", "kind": "label"}],
            "b": [{"name": "key", "kind": "id", "type": "text"}, {"name": "x", "kind": "number"}],
        },
    }
    with pytest.raises(DataError, match=r"column 'key': id has another type in another table; give them the same$"):
        load_schema(written(tmp_path, document))


def test_preprocess_refuses_a_wrong_schema_before_it_reads_a_table(tmp_path: Path) -> None:
    own = make(tmp_path / "own", document={**passengers_schema(), "label": "lost"})
    (own.folder / "passengers.csv").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"^schema\.json: label is 'lost'"):
        own.run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_schema_in_use_says_what_it_said_before_it_could_say_more() -> None:
    schema = load_schema(preprocess.SCHEMA_FILE)
    assert (schema.id, schema.label, schema.drop) == ("policy_id", "fraud", ())
    assert schema.others == ("policy_id", "fraud")
    assert not [column.name for column in schema.features if column.is_open]
