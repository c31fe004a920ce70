"""Preprocess: what it writes, and one line for each thing that can be wrong with the tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import preprocess
import splits
from columns import DataError, load_schema
from tests.fraud.scripts.conftest import Spoil

SETS = ("train", "validation", "test")
Edit = Callable[[list[str]], list[str]]


def cell(line: int, column: str, value: str) -> Edit:
    """Changes one cell; line 1 is the header."""

    def edit(lines: list[str]) -> list[str]:
        cells = lines[line - 1].split(",")
        cells[lines[0].split(",").index(column)] = value
        return [*lines[: line - 1], ",".join(cells), *lines[line:]]

    return edit


def column_of(value: str, column: str) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        for number in range(2, len(lines) + 1):
            lines = cell(number, column, value)(lines)
        return lines

    return edit


def read(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: pq.read_table(folder / name / f"{name}.parquet").to_pandas() for name in SETS}


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_outputs_are_three_sets_the_labelled_rows_and_the_schema(prepared: Path) -> None:
    assert list(files(prepared)) == [
        "labelled/labelled.csv",
        "schema/schema.json",
        "test/test.parquet",
        "train/train.parquet",
        "validation/validation.parquet",
    ]
    schema = load_schema(prepared / "schema" / "schema.json")
    for table in read(prepared).values():
        assert list(table.columns) == ["fraud", *schema.names]
        assert "policy_id" not in table.columns


def test_every_column_is_numeric_so_that_the_built_in_algorithm_reads_it(prepared: Path) -> None:
    for table in read(prepared).values():
        assert all(np.issubdtype(kind, np.number) for kind in table.dtypes)
        assert not table.isna().any().any()


def test_the_sets_have_the_same_share_of_fraud_and_no_policy_is_lost(prepared: Path, raw: Path) -> None:
    tables = read(prepared)
    share = pd.read_csv(raw / "claims.csv")["fraud"].mean()
    assert sum(len(table) for table in tables.values()) == 5_000
    for name, table in tables.items():
        assert len(table) == pytest.approx(5_000 * splits.SPLITS[name], abs=2)
        assert table["fraud"].mean() == pytest.approx(share, abs=0.001)


def test_the_text_none_is_a_category_and_an_empty_cell_is_missing(spoil: Spoil, tmp_path: Path) -> None:
    everyone = column_of("None", "authorities_contacted")
    folder = spoil("claims", lambda lines: cell(5, "authorities_contacted", "")(everyone(lines)))
    preprocess.preprocess(folder, tmp_path / "out", seed=1)
    column = pd.concat(read(tmp_path / "out").values())["authorities_contacted"]
    assert column.isna().sum() == 1
    assert set(column.dropna()) == {3.0}


def test_the_public_data_sets_spelling_of_none_is_understood(spoil: Spoil, tmp_path: Path) -> None:
    preprocess.preprocess(spoil("claims", column_of("N/A", "collision_type")), tmp_path / "out", seed=1)
    assert set(pd.concat(read(tmp_path / "out").values())["collision_type"]) == {3}


def test_an_empty_number_is_missing(spoil: Spoil, tmp_path: Path) -> None:
    preprocess.preprocess(spoil("customers", cell(9, "customer_age", "")), tmp_path / "out", seed=1)
    ages = pd.concat(read(tmp_path / "out").values())["customer_age"]
    assert ages.isna().sum() == 1
    assert len(ages) == 400


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_split(small: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        preprocess.preprocess(small, tmp_path / name, seed=seed)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_many_files_a_table_in_another_order_of_rows_and_columns_give_the_same_policies(
    small: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    claims = pd.read_csv(small / "claims.csv", dtype=str, keep_default_na=False)
    claims.iloc[200:, ::-1].to_csv(folder / "claims_a.csv", index=False)
    claims.iloc[:200].to_csv(folder / "claims_b.csv", index=False)
    customers = pd.read_csv(small / "customers.csv", dtype=str, keep_default_na=False)
    customers.sample(frac=1, random_state=1).to_csv(folder / "customers.csv", index=False)
    preprocess.preprocess(small, tmp_path / "one", seed=1)
    preprocess.preprocess(folder, tmp_path / "many", seed=1)
    one, many = read(tmp_path / "one"), read(tmp_path / "many")
    for name in SETS:
        columns = list(one[name].columns)
        pd.testing.assert_frame_equal(
            one[name].sort_values(columns, ignore_index=True), many[name].sort_values(columns, ignore_index=True)
        )


def test_quoted_cells_a_byte_order_mark_and_windows_line_ends_are_read(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    shutil.copy(small / "customers.csv", folder)
    claims = pd.read_csv(small / "claims.csv", dtype=str, keep_default_na=False)
    claims.to_csv(folder / "claims.csv", index=False, quoting=1, lineterminator="\r\n", encoding="utf-8-sig")
    preprocess.preprocess(small, tmp_path / "plain", seed=1)
    preprocess.preprocess(folder, tmp_path / "quoted", seed=1)
    assert files(tmp_path / "plain") == files(tmp_path / "quoted")


def test_the_train_set_does_not_depend_on_the_test_sets_values(spoil: Spoil, small: Path, tmp_path: Path) -> None:
    ids = pd.read_csv(small / "claims.csv")
    assigned = splits.assign_splits(ids["fraud"].to_numpy(np.int8), ids["policy_id"].to_numpy(), 1)
    line = int(np.flatnonzero(assigned == 2)[0]) + 2
    preprocess.preprocess(small, tmp_path / "before", seed=1)
    preprocess.preprocess(spoil("claims", cell(line, "injury_claim", "1e9")), tmp_path / "after", seed=1)
    before, after = files(tmp_path / "before"), files(tmp_path / "after")
    assert before["train/train.parquet"] == after["train/train.parquet"]
    assert before["test/test.parquet"] != after["test/test.parquet"]


def test_a_split_hardly_depends_on_the_policys_number() -> None:
    ids = np.arange(1, 10_001)
    assigned = splits.assign_splits((ids % 30 == 0).astype(np.int8), ids, 42)
    assert np.bincount(assigned).tolist() == [6_000, 2_000, 2_000]
    assert abs(np.mean(ids[assigned == 2]) - 5_000) < 200


BAD_CELLS = [
    ("claims", cell(3, "fraud", "2"), "claims.csv, line 3: column 'fraud': '2' is not a label; allowed: 0 or 1"),
    ("claims", cell(3, "fraud", ""), "claims.csv, line 3: column 'fraud': '' is not a label; allowed: 0 or 1"),
    ("claims", cell(7, "fraud", "yes"), "claims.csv, line 7: column 'fraud': 'yes' is not a number; allowed: 0 or 1"),
    (
        "claims",
        cell(4, "injury_claim", "12k"),
        "claims.csv, line 4: column 'injury_claim': '12k' is not a number; allowed: a finite number",
    ),
    (
        "claims",
        cell(4, "vehicle_claim", "inf"),
        "claims.csv, line 4: column 'vehicle_claim': 'inf' is not finite; allowed: a finite number",
    ),
    (
        "claims",
        cell(4, "vehicle_claim", "nan"),
        "claims.csv, line 4: column 'vehicle_claim': 'nan' is not finite; allowed: a finite number",
    ),
    (
        "claims",
        cell(401, "incident_month", "13"),
        "claims.csv, line 401: column 'incident_month': '13' is out of range; "
        "allowed: a whole number at least 1 and at most 12",
    ),
    (
        "customers",
        cell(2, "customer_age", "40.5"),
        "customers.csv, line 2: column 'customer_age': '40.5' is not whole; allowed: a whole number at least 0",
    ),
    (
        "claims",
        cell(6, "incident_type", "Flood"),
        "claims.csv, line 6: column 'incident_type': 'Flood' is not a known category; "
        "allowed: Collision, Break-in, Theft",
    ),
    (
        "claims",
        cell(6, "policy_id", "P-5"),
        "claims.csv, line 6: column 'policy_id': 'P-5' is not a number; allowed: a whole number",
    ),
    (
        "claims",
        cell(6, "policy_id", ""),
        "claims.csv, line 6: column 'policy_id': '' is empty; allowed: a whole number",
    ),
]


@pytest.mark.parametrize(("name", "edit", "message"), BAD_CELLS, ids=[case[2][:60] for case in BAD_CELLS])
def test_a_bad_cell_is_named_with_file_line_column_value_and_what_is_allowed(
    name: str, edit: Edit, message: str, spoil: Spoil, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        preprocess.preprocess(spoil(name, edit), tmp_path / "out", seed=1)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


BAD_TABLES = [
    (
        "claims",
        lambda lines: [line.partition(",")[2] for line in lines],
        "claims.csv: column 'policy_id': is missing; found: driver_relationship, incident_type",
    ),
    (
        "claims",
        lambda lines: [f"{line},{'mood' if n == 0 else 'bad'}" for n, line in enumerate(lines)],
        "claims.csv: column 'mood': is not in the schema; allowed: policy_id, driver_relationship",
    ),
    (
        "claims",
        lambda lines: [f"{line},{'fraud' if n == 0 else '0'}" for n, line in enumerate(lines)],
        "claims.csv: column 'fraud': stands there twice; found:",
    ),
    ("claims", lambda lines: lines[:1], "claims.csv: no rows; give at least one"),
    ("claims", column_of("0", "fraud"), "0 of 400 rows have the label 1; allowed: at least 3, one each for train"),
    ("claims", column_of("1", "fraud"), "0 of 400 rows have the label 0; allowed: at least 3, one each for train"),
    (
        "claims",
        cell(5, "policy_id", "77"),
        "column 'policy_id': policy_id 77 stands in claims more than once; allowed:",
    ),
    (
        "customers",
        cell(5, "policy_id", "77"),
        "column 'policy_id': policy_id 77 stands in customers more than once; allowed:",
    ),
    (
        "claims",
        cell(5, "policy_id", "9000"),
        "column 'policy_id': policy_id 9000 stands in claims but not in customers; allowed:",
    ),
    (
        "claims",
        lambda lines: lines[:-2],
        "column 'policy_id': policy_id 399 (and 1 more) stands in customers but not in claims; allowed:",
    ),
    ("claims", lambda lines: [*lines[:3], "1,2,3", *lines[3:]], "claims.csv, line 4: 3 cells; allowed: 18, one for"),
]


@pytest.mark.parametrize(("name", "edit", "message"), BAD_TABLES, ids=[case[2][:60] for case in BAD_TABLES])
def test_a_bad_table_is_refused_in_one_line(name: str, edit: Edit, message: str, spoil: Spoil, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        preprocess.preprocess(spoil(name, edit), tmp_path / "out", seed=1)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [(1, "claims.csv, line 1: byte 0xe9 is not UTF-8"), (4, "claims.csv, line 4: byte 0xe9 is not UTF-8")],
)
def test_a_wrong_encoding_is_named_with_its_line(line: int, message: str, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    shutil.copytree(small, folder)
    lines = (folder / "claims.csv").read_bytes().split(b"\n")
    lines[line - 1] = lines[line - 1].replace(b"e", "é".encode("latin-1"), 1)
    (folder / "claims.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(DataError) as caught:
        preprocess.preprocess(folder, tmp_path / "out", seed=1)
    assert str(caught.value) == f"{message}; allowed: CSV saved as UTF-8"
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named_with_what_is_there(small: Path, tmp_path: Path) -> None:
    shutil.copy(small / "customers.csv", tmp_path)
    with pytest.raises(DataError, match=r"no file claims\*\.csv and no claims\*\.parquet; found: customers\.csv$"):
        preprocess.preprocess(tmp_path, tmp_path / "out", seed=1)
    assert not (tmp_path / "out").exists()


def test_an_empty_file_is_refused(spoil: Spoil, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^claims\.csv: column 'policy_id': is missing"):
        preprocess.preprocess(spoil("claims", lambda _: []), tmp_path / "out", seed=1)


def test_the_job_fails_with_one_line_on_stderr_and_in_the_message_file(
    spoil: Spoil, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spoil("claims", cell(3, "fraud", "2"))
    message = tmp_path / "ml" / "output" / "message"
    message.parent.parent.mkdir()
    arguments = ["--input-dir", str(folder), "--output-dir", str(tmp_path / "out"), "--message-file", str(message)]
    assert preprocess.main(arguments) == 1
    expected = "claims.csv, line 3: column 'fraud': '2' is not a label; allowed: 0 or 1"
    assert capsys.readouterr().err == f"{expected}\n"
    assert message.read_text() == expected
    assert not (tmp_path / "out").exists()


def test_the_job_ends_with_zero_and_says_how_many_rows_each_set_has(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preprocess.main(["--input-dir", str(small), "--output-dir", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "train 240 rows, validation 80 rows, test 80 rows\n"


def test_the_schema_handed_on_is_the_schema_read(prepared: Path) -> None:
    assert json.loads((prepared / "schema" / "schema.json").read_text()) == json.loads(
        preprocess.SCHEMA_FILE.read_text()
    )
