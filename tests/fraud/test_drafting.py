"""Drafting a schema: what is read off the files, what is left out, and what no schema can be drafted for."""

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import columns
import preprocess
from pipelines.fraud import dataset, drafting
from pipelines.fraud.drafting import DraftError, draft, main, render
from tests.fraud.scripts.own_data import files, passengers, passengers_schema

Frames = dict[str, pd.DataFrame]


def folder_of(folder: Path, **tables: pd.DataFrame) -> Path:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def document_of(folder: Path, label: str, **options: Any) -> dict[str, Any]:
    return draft(folder, label, **options).document


def kinds(document: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["kind"] for table in document["tables"].values() for column in table}


def test_one_tables_columns_are_told_by_their_cells(tmp_path: Path) -> None:
    table = passengers().assign(sibling=lambda frame: frame["class"] * 1.5)
    found = draft(folder_of(tmp_path, passengers=table), "survived")
    assert found.document["label"] == "survived"
    assert "id" not in found.document
    assert found.document["drop"] == ["ticket"]
    assert kinds(found.document) == {
        "port": "category",
        "class": "integer",
        "fare": "number",
        "age": "number",
        "sibling": "number",
        "survived": "label",
    }
    assert found.notes == (
        "column 'ticket' has another value in each row, as an id has: it is left out (drop)",
        "label 'survived': 'yes' is taken for positive, by its name",
    )


def test_what_is_drafted_runs(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data", passengers=passengers())
    assert main(["--data", str(folder), "--label", "survived", "--output", str(tmp_path / "schema.json")]) == 0
    counts = preprocess.preprocess(folder, tmp_path / "out", seed=1, schema_file=tmp_path / "schema.json")
    assert counts == {"train": 180, "validation": 60, "test": 60}


def test_the_sample_data_are_drafted_as_two_tables_with_their_key(tmp_path: Path) -> None:
    dataset.write(tmp_path, rows=500)
    document = document_of(tmp_path, "fraud")
    assert (document["id"], list(document["tables"])) == ("policy_id", ["claims", "customers"])
    assert "drop" not in document
    expected = {column["name"]: column["kind"] for table in dataset.SCHEMA["tables"].values() for column in table}
    # Amounts that all have no cents look like whole numbers.
    assert kinds(document) == {**expected, "policy_annual_premium": "integer"}


def test_the_table_with_the_label_comes_first(tmp_path: Path) -> None:
    whole = passengers()
    document = document_of(
        folder_of(tmp_path, a=whole[["ticket", "fare"]], b=whole[["ticket", "survived", "age"]]), "survived"
    )
    assert list(document["tables"]) == ["b", "a"]
    assert document["tables"]["b"][0] == {"name": "ticket", "kind": "id", "type": "text"}


def test_files_with_the_same_columns_are_one_table(tmp_path: Path) -> None:
    whole = passengers()
    folder_of(tmp_path, **{"people-2023": whole[:100], "people-2024": whole[100:]})
    (tmp_path / ".people.csv.partial").touch()
    (tmp_path / "notes.txt").touch()
    assert list(document_of(tmp_path, "survived")["tables"]) == ["people"]


def test_a_table_with_an_id_keeps_it_when_it_is_named(tmp_path: Path) -> None:
    document = document_of(folder_of(tmp_path, passengers=passengers()), "survived", id="ticket", drop=["fare"])
    assert (document["id"], document["drop"]) == ("ticket", ["fare"])
    assert document["tables"]["passengers"][0] == {"name": "ticket", "kind": "id", "type": "text"}


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("number", range(100, 400), "has another value in each row, as an id has"),
        ("customer_id", [7 * row for row in range(300)], "has another value in each row, as an id has"),
        ("customerId", [7 * row for row in range(300)], "has another value in each row, as an id has"),
        (
            "note",
            [f"text {row % 290}" for row in range(300)],
            "has 290 different texts, and a category has 256 at",
        ),
        ("nothing", [None] * 300, "is empty"),
        ("", range(300), "has another value in each row, as an id has"),
        ("", [row % 7 for row in range(300)], "has no name"),
        (
            "height",
            ["?", "n/a", *[f"{row}.5" for row in range(298)]],
            "has texts among its numbers ('?', 'n/a'; an empty cell is a missing value)",
        ),
    ],
)
def test_a_column_that_is_no_feature_is_left_out_and_said(name: str, values: Any, reason: str, tmp_path: Path) -> None:
    found = draft(folder_of(tmp_path, people=passengers().assign(**{name: list(values)})), "survived")
    assert found.document["drop"] == ["ticket", name]
    assert found.notes[-1].startswith(f"column {name!r} {reason}") or found.notes[-2].startswith(
        f"column {name!r} {reason}"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("amount", [7 * row for row in range(300)]),
        ("paid", [7 * row for row in range(300)]),
        ("x", [0.5 * row for row in range(300)]),
    ],
)
def test_a_quantity_that_differs_in_each_row_is_kept(name: str, values: list[float], tmp_path: Path) -> None:
    document = document_of(folder_of(tmp_path, people=passengers().assign(**{name: values})), "survived")
    assert kinds(document)[name] in ("integer", "number")


@pytest.mark.parametrize(
    ("values", "entry"),
    [
        ([0, 1, 1], {}),
        (["M", "B", "B"], {"positive": "M"}),
        ([2, 1, 1], {"positive": "2"}),
        ([0.0, 1.0, 1.0], {}),
        ([2, 3, 3], {"positive": "2"}),
        ([-1, 1, 1], {"positive": "1"}),
        ([1.0, -1.0, -1.0], {"positive": "1.0"}),
        (["+1", "-1", "-1"], {"positive": "+1"}),
        (["False", "True", "True"], {"positive": "True"}),
        (["neg", "pos", "pos"], {"positive": "pos"}),
    ],
)
def test_a_label_is_0_and_1_or_has_a_positive_value(
    values: list[object], entry: dict[str, str], tmp_path: Path
) -> None:
    table = pd.DataFrame({"x": [0.5 * row for row in range(300)], "y": values * 100})
    document = document_of(folder_of(tmp_path, t=table), "y")
    assert document["tables"]["t"][-1] == {"name": "y", "kind": "label", **entry}


def test_parquet_tells_its_types_itself(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([1, 2, 2, None]),
            "real": pa.array([1.0, 2.0, 2.0, 3.0]),
            "money": pa.array([decimal.Decimal("1.50")] * 4),
            "flag": pa.array([True, False, True, None]),
            "code": pa.array(["1", "2", "2", "3"]),
            "name": pa.array(["a", "b", "a", "b"]).dictionary_encode(),
            "day": pa.array([datetime.date(2024, 1, 1)] * 4),
            "tags": pa.array([["a"]] * 4),
            "y": pa.array([True, False, False, False]),
        }
    )
    pq.write_table(table, tmp_path / "events.parquet")
    found = draft(tmp_path, "y")
    assert kinds(found.document) == {
        "whole": "integer",
        "real": "number",
        "money": "number",
        "flag": "category",
        "code": "integer",
        "name": "category",
        "y": "label",
    }
    assert found.document["drop"] == ["day", "tags"]
    assert found.document["tables"]["events"][-1]["positive"] == "true"
    assert "column 'day' holds date32[day]: it is left out (drop)" in found.notes


def test_what_a_person_may_know_better_is_said(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "day": ["2024-01-31", "2024-02-01 10:30:00"] * 4,
            "german": ["31.1.2024", "1.2.24"] * 4,
            "zip": ["00012", "70173"] * 4,
            "dose": ["1", "2", "3.5", "unknown"] * 2,
            "grade": ["1", "A"] * 4,
            "y": [0, 1] * 4,
        }
    )
    found = draft(folder_of(tmp_path, t=table), "y")
    assert found.document["drop"] == ["day", "german"]
    assert kinds(found.document) == {"zip": "integer", "dose": "category", "grade": "category", "y": "label"}
    assert found.notes == (
        "column 'day' holds dates: it is left out (drop)",
        "column 'german' holds dates: it is left out (drop)",
        "column 'zip' has numbers that begin with 0: it is taken for an integer; if they are codes, make it a category",
        "column 'dose' has texts among its numbers ('unknown'): it is taken for a category; "
        "empty cells would make it a number",
    )


WHOLE = passengers()
REFUSED: list[tuple[Frames, dict[str, Any], str]] = [
    ({}, {}, "no *.csv and no *.parquet; give the folder with the data"),
    ({"t": WHOLE}, {"label": "died"}, "label 'died': no such column; found: ticket, port, class, fare, age, survived"),
    (
        {"t": WHOLE},
        {"label": "port"},
        "label 'port' has 3 values (Brest, Cork, Dover); allowed: two, one of them positive",
    ),
    ({"t": WHOLE}, {"label": "age"}, "label 'age': 28 cells are empty; leave those rows out"),
    ({"t": WHOLE}, {"id": "seat"}, "id 'seat' is not in table t; found: ticket, port"),
    ({"t": WHOLE}, {"id": "port"}, "id 'port' is empty or repeated in table t; allowed: another value in each row"),
    ({"t": WHOLE}, {"id": "age"}, "id 'age' is empty or repeated in table t; allowed: another value in each row"),
    ({"a": WHOLE, "b": WHOLE[["survived", "age"]]}, {}, "label 'survived' stands in a and b; leave it in one table"),
    (
        {"a": WHOLE[["age", "survived"]], "b": WHOLE[["fare"]]},
        {},
        "tables a, b need a key to be joined by, and they share no",
    ),
    (
        {"a": WHOLE, "b": WHOLE[["ticket", "port"]]},
        {},
        "tables a, b need a key to be joined by, and they share port, ticket: name one (--id)",
    ),
    (
        {"a": WHOLE, "ab": WHOLE[["ticket"]]},
        {},
        "tables 'a' and 'ab': one name begins with the other; rename the files",
    ),
    (
        {"t": WHOLE[["ticket", "survived"]]},
        {},
        "no column is left to predict the label from; column 'ticket' has another value in each row, as an id has:",
    ),
    ({"t": WHOLE[["survived"]]}, {}, "no column is left to predict the label from"),
    ({"a": WHOLE, "b": WHOLE}, {}, "a.csv, b.csv: the same columns, but no name in common; begin their names with the"),
]


@pytest.mark.parametrize(("tables", "options", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_prevents_a_schema_is_told_in_one_line(
    tables: Frames, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder_of(tmp_path, **tables)
    label, key = options.get("label", "survived"), options.get("id")
    with pytest.raises(DraftError) as caught:
        document_of(tmp_path, label, id=key)
    assert str(caught.value).removeprefix(f"{tmp_path}: ").startswith(message)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for name, content, message in (
        ("a.parquet", b"no", "a.parquet: not readable: "),
        ("a.csv", b"x,y\n1\n2,3,4\n", "a.csv: not readable: "),
        ("a.csv", b"x,x\n1,2\n", "a.csv: column 'x' stands there twice; give each a name of its own"),
        ("a.csv", b"", "a.csv: not readable: Empty CSV file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DraftError) as caught:
            document_of(tmp_path, "x")
        assert str(caught.value).startswith(message)
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "values",
    [[{"a": 1}, {"a": 2}], [[1], [2]], [b"a", b"b"], [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)]],
    ids=["struct", "list", "binary", "date"],
)
def test_labels_and_ids_of_other_types_are_refused(values: list[Any], tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.5, 2.5], "y": values}), tmp_path / "t.parquet")
    with pytest.raises(DraftError, match=r"^label 'y' holds .*; allowed: numbers, texts, true and false$"):
        draft(tmp_path, "y")
    with pytest.raises(DraftError, match=r"^id 'y' of table t holds .*; allowed: numbers, texts, true and false$"):
        draft(tmp_path, "x", id="y")


def test_ids_that_are_whole_in_one_table_only_are_texts_in_all(tmp_path: Path) -> None:
    whole = passengers().assign(number=range(300))
    people, codes = whole[["number", "age", "survived"]], whole.assign(number=lambda table: table["ticket"])
    tables = document_of(folder_of(tmp_path, people=people, tickets=codes[["number", "fare"]]), "survived")["tables"]
    assert [columns[0] for columns in tables.values()] == [{"name": "number", "kind": "id", "type": "text"}] * 2


def test_a_column_that_is_left_out_of_one_table_is_left_out_of_all(tmp_path: Path) -> None:
    whole = passengers()
    people = whole[["ticket", "age", "survived"]].assign(seen="2024-01-31")
    document = document_of(
        folder_of(tmp_path, a=people, b=whole[["ticket", "fare"]].assign(seen=1)), "survived", id="ticket"
    )
    assert (document["drop"], sorted(kinds(document))) == (["seen"], ["age", "fare", "survived", "ticket"])


def test_no_text_is_a_missing_value_in_parquet(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"empty": ["", ""], "dose": ["", "2.5"], "port": ["", "b"], "y": [0, 1]}
    pq.write_table(pa.table({name: cells * 9 for name, cells in columns.items()}), tmp_path / "t.parquet")
    found = draft(tmp_path, "y")
    assert kinds(found.document) == {"dose": "number", "port": "category", "y": "label"}
    assert found.notes == ("column 'empty' is empty: it is left out (drop)",)


def test_a_table_in_two_formats_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path, people=passengers())
    passengers().to_parquet(tmp_path / "people.parquet")
    with pytest.raises(DraftError, match=r"^people\.csv, people\.parquet: the same table in two formats; give one"):
        document_of(tmp_path, "survived")


def test_the_text_of_a_schema_has_a_line_for_each_column() -> None:
    text = dataset.SCHEMA_FILE.read_text(encoding="utf-8")
    assert render(json.loads(text)) == text
    assert json.loads(render(passengers_schema())) == passengers_schema()


def test_as_many_categories_are_drafted_as_are_learned() -> None:
    assert drafting.MAX_CATEGORIES == columns.MAX_CATEGORIES


def test_the_program_prints_the_schema_and_says_beside_it_what_it_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path / "data", passengers=passengers())
    assert main(["--data", str(folder), "--label", "survived", "--drop", "fare"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == document_of(folder, "survived", drop=["fare"])
    assert printed.err.splitlines() == list(draft(folder, "survived", drop=["fare"]).notes)


def test_a_mistake_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "data", passengers=passengers())
    output = tmp_path / "schema.json"
    output.write_text("{}")
    before = files(tmp_path)
    assert main(["--data", str(folder), "--label", "died", "--output", str(output)]) == 1
    assert main(["--data", str(tmp_path / "none"), "--label", "died", "--output", str(output)]) == 1
    assert main(["--data", str(folder), "--label", "survived", "--output", str(tmp_path / "no" / "schema.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 3
    assert files(tmp_path) == before
    with pytest.raises(SystemExit) as caught:
        main(["--data", str(folder)])
    assert caught.value.code == 2


def test_parquet_files_that_disagree_are_refused(tmp_path: Path) -> None:
    for name, values in (("people-1", ["a", "b"]), ("people-2", [1, 2])):
        pq.write_table(pa.table({"x": values, "y": [0, 1]}), tmp_path / f"{name}.parquet")
    with pytest.raises(DraftError, match=r"^people-1\.parquet, people-2\.parquet: one column has two types: "):
        document_of(tmp_path, "y")


@pytest.mark.parametrize(("values", "entry"), [([0.0, 1.0, 1.0], {}), ([2.0, 1.0, 1.0], {"positive": "2"})])
def test_a_label_of_parquet_is_called_what_preprocess_calls_it(
    values: list[float], entry: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    pq.write_table(pa.table({"x": [0.5 * row for row in range(90)], "y": values * 30}), folder / "t.parquet")
    schema_file = tmp_path / "schema.json"
    schema_file.write_text(render(document_of(folder, "y")))
    assert json.loads(schema_file.read_text())["tables"]["t"][1] == {"name": "y", "kind": "label", **entry}
    assert preprocess.preprocess(folder, tmp_path / "out", seed=1, schema_file=schema_file)["train"] == 54


def test_a_table_whose_rows_are_numbered_in_a_column_without_a_name_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    passengers().to_csv(folder / "people.csv")
    schema_file = tmp_path / "schema.json"
    schema_file.write_text(render(document_of(folder, "survived")))
    assert json.loads(schema_file.read_text())["drop"] == ["", "ticket"]
    assert preprocess.preprocess(folder, tmp_path / "out", seed=1, schema_file=schema_file)["test"] == 60
