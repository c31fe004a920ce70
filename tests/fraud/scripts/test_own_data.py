"""Preprocess on data of one's own: one table or several, CSV or Parquet, with what the schema leaves to the data."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from columns import MAX_CATEGORIES, DataError, load_schema
from tests.fraud.scripts.own_data import SETS, Json, OwnData, files, make, passengers, passengers_schema


@pytest.fixture
def data(tmp_path: Path) -> OwnData:
    return make(tmp_path / "own")


def labelled(folder: Path) -> list[dict[str, str]]:
    with (folder / "labelled" / "labelled.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_ticket_as_id(schema: Json) -> Json:
    columns = [{"name": "ticket", "kind": "id", "type": "text"}, *schema["tables"]["passengers"]]
    return {**schema, "id": "ticket", "drop": [], "tables": {"passengers": columns}}


def refused(data: OwnData, output: Path) -> str:
    """Return the one line that the data are refused with; nothing is written then."""
    with pytest.raises(DataError) as caught:
        data.run(output)
    assert not output.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# One table


def test_one_table_needs_no_id_and_its_label_may_be_text(data: OwnData, tmp_path: Path) -> None:
    sets = data.run(tmp_path / "out")
    assert {name: len(table) for name, table in sets.items()} == {"train": 180, "validation": 60, "test": 60}
    for table in sets.values():
        assert list(table.columns) == ["survived", "port", "class", "fare", "age"]
        assert table["survived"].mean() == pytest.approx(1 / 3)


def test_a_column_to_be_left_out_may_be_missing(data: OwnData, tmp_path: Path) -> None:
    data.run(tmp_path / "with")
    passengers().drop(columns="ticket").to_csv(data.folder / "passengers.csv", index=False)
    data.run(tmp_path / "without")
    assert files(tmp_path / "with") == files(tmp_path / "without")


def test_a_column_that_the_schema_neither_has_nor_drops_is_refused(data: OwnData, tmp_path: Path) -> None:
    data.write_schema({**passengers_schema(), "drop": []})
    assert refused(data, tmp_path / "out").startswith("passengers.csv: column 'ticket': is not in the schema; allowed:")


def test_without_an_id_the_split_is_by_content_so_neither_order_nor_files_matter(data: OwnData, tmp_path: Path) -> None:
    one = data.run(tmp_path / "one")
    mixed = passengers().sample(frac=1, random_state=3)
    mixed.iloc[:100, ::-1].to_csv(data.folder / "passengers-1.csv", index=False)
    mixed.iloc[100:].to_csv(data.folder / "passengers-2.csv", index=False)
    (data.folder / "passengers.csv").unlink()
    many = data.run(tmp_path / "many")
    for name in SETS:
        columns = list(one[name].columns)
        pd.testing.assert_frame_equal(
            one[name].sort_values(columns, ignore_index=True), many[name].sort_values(columns, ignore_index=True)
        )


def test_the_same_rows_are_split_the_same_and_another_seed_otherwise(data: OwnData, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        data.run(tmp_path / name, seed=seed)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_an_id_splits_by_itself_whatever_the_row_holds(tmp_path: Path) -> None:
    table = passengers().assign(fare=np.arange(300))
    own = make(tmp_path / "own", table, with_ticket_as_id(passengers_schema()))
    before = own.run(tmp_path / "before")
    table.assign(age=7).to_csv(own.folder / "passengers.csv", index=False)
    after = own.run(tmp_path / "after")
    for name in SETS:
        assert before[name]["fare"].tolist() == after[name]["fare"].tolist()


# Several tables


def two_tables(folder: Path) -> OwnData:
    table = passengers()
    own = make(folder, table[["ticket", "port", "class", "fare"]])
    people = table[["ticket", "age", "survived"]].sample(frac=1, random_state=5)
    people.to_csv(own.folder / "people.csv", index=False)
    key = {"name": "ticket", "kind": "id", "type": "text"}
    columns = passengers_schema()["tables"]["passengers"]
    own.write_schema(
        {
            "id": "ticket",
            "label": "survived",
            "tables": {"passengers": [key, *columns[:3]], "people": [key, *columns[3:]]},
        }
    )
    return own


def test_tables_are_joined_by_ids_of_text_and_the_label_may_be_in_any(tmp_path: Path) -> None:
    sets = two_tables(tmp_path / "own").run(tmp_path / "out")
    joined = pd.concat(sets.values())
    assert list(joined.columns) == ["survived", "port", "class", "fare", "age"]
    whole = passengers()
    expected = sorted(zip(whole["fare"], whole["survived"] == "yes", whole["age"].fillna(-1), strict=True))
    found = zip(joined["fare"].round(2), joined["survived"] == 1, joined["age"].fillna(-1), strict=True)
    assert sorted((round(fare, 2), *rest) for fare, *rest in found) == [pytest.approx(row) for row in expected]


def test_labelled_rows_come_from_each_table_and_are_those_of_the_test_set(tmp_path: Path) -> None:
    sets = two_tables(tmp_path / "own").run(tmp_path / "out")
    rows = labelled(tmp_path / "out")
    assert [int(row["survived"]) for row in rows] == sets["test"]["survived"].tolist()
    assert [float(row["age"] or "nan") for row in rows] == pytest.approx(sets["test"]["age"].tolist(), nan_ok=True)
    by_fare = {f"{row.fare:g}" + str(row.port) for row in passengers().itertuples()}
    assert {f"{float(row['fare']):g}{row['port']}" for row in rows} <= by_fare


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["T-1", *[f"T-{number}" for number in range(1, 300)]], "ticket T-1 stands in people more than once"),
        (["X", *[f"T-{number}" for number in range(1, 300)]], "ticket T-0 stands in passengers but not in people"),
        ([f"T-{number}" for number in range(301)], "ticket T-300 stands in people but not in passengers"),
    ],
)
def test_an_id_of_text_that_does_not_fit_is_named(ids: list[str], message: str, tmp_path: Path) -> None:
    own = two_tables(tmp_path / "own")
    people = pd.DataFrame(
        {"ticket": ids, "age": 30, "survived": ["yes", "no", "no"] * (len(ids) // 3) + ["no"] * (len(ids) % 3)}
    )
    people.to_csv(own.folder / "people.csv", index=False)
    assert refused(own, tmp_path / "out") == (
        f"column 'ticket': {message}; allowed: one row for each ticket in every table"
    )


# Labels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["yes", "no", "maybe"], "has 3 values (maybe, no, yes); allowed: two, of which 'yes' is the positive one"),
        (["Yes", "no"], "has 2 values (Yes, no); allowed: two, of which 'yes' is the positive one"),
        (["yes"], "has 1 values (yes); allowed: two, of which 'yes' is the positive one"),
        (list("abcdefg"), "has 7 values (a, b, c, d, e, ...); allowed: two, of which 'yes' is the positive one"),
    ],
)
def test_other_labels_than_two_are_refused(values: list[str], message: str, data: OwnData, tmp_path: Path) -> None:
    table = passengers().assign(survived=[values[row % len(values)] for row in range(300)])
    table.to_csv(data.folder / "passengers.csv", index=False)
    assert refused(data, tmp_path / "out") == f"column 'survived': {message}"


def test_a_row_without_a_label_is_named(data: OwnData, tmp_path: Path) -> None:
    table = passengers()
    table.loc[4, "survived"] = None
    table.to_csv(data.folder / "passengers.csv", index=False)
    assert refused(data, tmp_path / "out") == (
        "passengers.csv, line 6: column 'survived': '' is empty; allowed: yes, or one other value"
    )


def test_too_few_rows_of_a_label_are_told_in_the_files_words(data: OwnData, tmp_path: Path) -> None:
    table = passengers().assign(survived=["yes"] * 2 + ["no"] * 298)
    table.to_csv(data.folder / "passengers.csv", index=False)
    assert refused(data, tmp_path / "out").startswith("2 of 300 rows have the label yes; allowed: at least 3")


# Categories


def test_categories_are_learned_from_the_training_rows_and_sorted(data: OwnData, tmp_path: Path) -> None:
    data.run(tmp_path / "out")
    schema = load_schema(tmp_path / "out" / "schema" / "schema.json")
    assert {column.name: column.categories for column in schema.features if column.kind == "category"} == {
        "port": ("Brest", "Cork", "Dover"),
        "class": ("1", "2", "3"),
    }
    rest = json.loads((tmp_path / "out" / "schema" / "schema.json").read_text())
    for column in rest["tables"]["passengers"]:
        if column["kind"] == "category":
            del column["categories"]
    assert rest == passengers_schema()


def test_a_category_of_no_training_row_is_missing_and_the_labelled_row_says_so(
    data: OwnData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Split by content, the rows would not stay where they are.
    data.write_schema(with_ticket_as_id(passengers_schema()))
    data.run(tmp_path / "before")
    tested = {row["fare"] for row in labelled(tmp_path / "before")}
    table = passengers()
    rare = table["fare"].astype(str).isin(tested)
    table.loc[rare, "port"] = "Quay"
    table.to_csv(data.folder / "passengers.csv", index=False)
    capsys.readouterr()
    sets = data.run(tmp_path / "out")
    assert sets["test"]["port"].isna().all()
    assert sets["train"]["port"].notna().all()
    assert {row["port"] for row in labelled(tmp_path / "out")} == {""}
    assert f"column 'port': {rare.sum()} cells hold no category of a training row" in capsys.readouterr().out


def test_too_many_categories_are_refused_with_advice(data: OwnData, tmp_path: Path) -> None:
    passengers(900).assign(port=lambda table: table["ticket"]).to_csv(data.folder / "passengers.csv", index=False)
    assert refused(data, tmp_path / "out") == (
        "column 'port': has 540 different texts in the training rows (T-0, T-1, T-10, T-100, T-101, ...); "
        f"allowed: {MAX_CATEGORIES} at most; make fewer of them in the files, or put it under drop"
    )


def test_as_many_categories_as_allowed_are_kept_apart(data: OwnData, tmp_path: Path) -> None:
    table = passengers(3_000).assign(port=[f"P{row % MAX_CATEGORIES:03}" for row in range(3_000)])
    table.to_csv(data.folder / "passengers.csv", index=False)
    sets = data.run(tmp_path / "out")
    assert sorted(set(sets["train"]["port"])) == list(range(MAX_CATEGORIES))
    rows = labelled(tmp_path / "out")
    assert [f"P{code:03}" for code in sets["test"]["port"]] == [row["port"] for row in rows]


def test_a_category_that_all_training_rows_leave_empty_is_left_out_and_said(
    data: OwnData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_schema(with_ticket_as_id(passengers_schema()))
    data.run(tmp_path / "before")
    tested = {row["fare"] for row in labelled(tmp_path / "before")}
    table = passengers()
    table.loc[~table["fare"].astype(str).isin(tested), "port"] = None
    table.to_csv(data.folder / "passengers.csv", index=False)
    sets = data.run(tmp_path / "out")
    assert capsys.readouterr().out == "column 'port' is empty in all training rows, and is left out\n"
    assert {tuple(rows.columns) for rows in sets.values()} == {("survived", "class", "fare", "age")}
    assert list(labelled(tmp_path / "out")[0]) == ["survived", "class", "fare", "age"]
    schema = load_schema(tmp_path / "out" / "schema" / "schema.json")
    assert (schema.names, schema.drop) == (["class", "fare", "age"], ("port",))


def test_data_whose_every_column_is_empty_are_refused(data: OwnData, tmp_path: Path) -> None:
    schema = passengers_schema()
    port, *_, label = schema["tables"]["passengers"]
    data.write_schema({**schema, "drop": ["ticket", "class", "fare", "age"], "tables": {"passengers": [port, label]}})
    passengers().assign(port=None).to_csv(data.folder / "passengers.csv", index=False)
    assert refused(data, tmp_path / "out").startswith("schema.json: there are no features; give one column at least")


# Parquet


def test_parquet_gives_the_same_sets_as_csv(data: OwnData, tmp_path: Path) -> None:
    data.run(tmp_path / "csv")
    (data.folder / "passengers.csv").unlink()
    passengers().to_parquet(data.folder / "passengers.parquet")
    data.run(tmp_path / "parquet")
    csv_files, parquet_files = files(tmp_path / "csv"), files(tmp_path / "parquet")
    assert csv_files.pop("labelled/labelled.csv") == parquet_files.pop("labelled/labelled.csv")
    assert csv_files == parquet_files


def test_parquet_files_of_one_table_may_have_a_column_in_several_types(data: OwnData, tmp_path: Path) -> None:
    data.run(tmp_path / "one")
    (data.folder / "passengers.csv").unlink()
    kinds = {"class": pa.int8(), "fare": pa.float32(), "age": pa.decimal128(5, 1), "port": pa.large_string()}
    for number, rows in enumerate((passengers()[:150], passengers()[150:])):
        table = pa.Table.from_pandas(rows, preserve_index=False)
        for name in kinds if number else ():
            position = table.column_names.index(name)
            table = table.set_column(position, name, table[name].cast(kinds[name], safe=False))
        pq.write_table(table, data.folder / f"passengers-{number}.parquet")
    data.run(tmp_path / "two")
    for name in SETS:
        one, two = (pq.read_table(tmp_path / folder / name / f"{name}.parquet") for folder in ("one", "two"))
        assert one.equals(two)
    assert len(labelled(tmp_path / "two")) == 60


def test_an_id_that_no_whole_number_can_hold_is_named(data: OwnData, tmp_path: Path) -> None:
    schema = with_ticket_as_id(passengers_schema())
    del schema["tables"]["passengers"][0]["type"]
    data.write_schema(schema)
    (data.folder / "passengers.csv").unlink()
    table = pa.Table.from_pandas(passengers(), preserve_index=False)
    ids = pa.array([*range(299), 2**63], pa.uint64())
    pq.write_table(table.set_column(0, "ticket", ids), data.folder / "passengers.parquet")
    assert refused(data, tmp_path / "out") == (
        "passengers.parquet, row 300: column 'ticket': '9223372036854775808' is not a number; allowed: a whole number"
    )


def test_every_parquet_type_that_has_a_text_in_csv_is_read(data: OwnData, tmp_path: Path) -> None:
    whole = passengers()
    table = pa.table(
        {
            "port": pa.array(whole["port"]).dictionary_encode(),
            "class": pa.array(whole["class"], pa.int8()),
            "fare": pa.array(whole["fare"].astype(str)).cast(pa.decimal128(9, 2)),
            "age": pa.array(whole["age"].astype("Int64").astype("string"), pa.large_string()),
            "survived": pa.array(whole["survived"] == "yes"),
        }
    )
    schema = passengers_schema()
    schema["tables"]["passengers"][-1]["positive"] = "true"
    data.run(tmp_path / "csv")
    data.write_schema(schema)
    (data.folder / "passengers.csv").unlink()
    pq.write_table(table, data.folder / "passengers.parquet", row_group_size=100)
    data.run(tmp_path / "parquet")
    for name in SETS:
        assert pq.read_table(tmp_path / "parquet" / name).equals(pq.read_table(tmp_path / "csv" / name))
    assert [
        {**row, "age": row["age"].removesuffix(".0"), "fare": float(row["fare"])} for row in labelled(tmp_path / "csv")
    ] == [{**row, "fare": float(row["fare"])} for row in labelled(tmp_path / "parquet")]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("fare", pa.array(["1.5", "dear"] * 150), "passengers.parquet, row 2: column 'fare': 'dear' is not a number;"),
        ("age", pa.array([1.0, 2.0, 2.5] * 100), "passengers.parquet, row 3: column 'age': '2.5' is not whole;"),
        (
            "fare",
            pa.array([np.inf] * 300),
            "passengers.parquet, row 1: column 'fare': 'inf' is not finite; allowed: a finite number",
        ),
        (
            "age",
            pa.array([0] * 300, pa.timestamp("ms")),
            "passengers.parquet: column 'age': holds timestamp[ms]; allowed: numbers, texts, true and false",
        ),
        ("survived", pa.array([None, "yes", "no"] * 100), "passengers.parquet, row 1: column 'survived': '' is empty;"),
    ],
)
def test_a_bad_value_in_parquet_is_named_with_its_row(
    column: str, values: pa.Array, message: str, data: OwnData, tmp_path: Path
) -> None:
    table = pa.Table.from_pandas(passengers(), preserve_index=False)
    table = table.set_column(table.column_names.index(column), column, values)
    (data.folder / "passengers.csv").unlink()
    pq.write_table(table, data.folder / "passengers.parquet")
    assert refused(data, tmp_path / "out").startswith(message)


def test_a_file_that_is_no_parquet_is_refused(data: OwnData, tmp_path: Path) -> None:
    (data.folder / "passengers.csv").rename(data.folder / "passengers.parquet")
    assert refused(data, tmp_path / "out").startswith("passengers.parquet: not readable as Parquet: ")


def test_a_table_in_two_formats_is_refused(data: OwnData, tmp_path: Path) -> None:
    passengers().to_parquet(data.folder / "passengers-2.parquet")
    assert refused(data, tmp_path / "out") == (
        "table passengers in two formats: passengers.csv, passengers-2.parquet; give one of them"
    )
