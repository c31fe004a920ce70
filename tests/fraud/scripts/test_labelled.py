"""The labelled raw rows that Preprocess keeps of the test set."""

import csv
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import preprocess
from columns import load_schema
from features import encode, read_csv
from tests.fraud.scripts.conftest import Spoil

LABELLED = Path("labelled", "labelled.csv")
SCHEMA = load_schema(preprocess.SCHEMA_FILE)


def labelled(folder: Path) -> list[dict[str, str]]:
    with (folder / LABELLED).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def raw_rows(folder: Path) -> pd.DataFrame:
    """The joined tables as text, by policy."""
    claims, customers = (
        pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False, index_col="policy_id")
        for name in ("claims", "customers")
    )
    return claims.join(customers)


def test_the_label_stands_first_then_the_features_and_no_id(prepared: Path) -> None:
    header, _, rest = (prepared / LABELLED).read_bytes().partition(b"\n")
    assert header.decode().split(",") == ["fraud", *SCHEMA.names]
    assert b"\r" not in rest


def test_they_are_the_test_sets_rows_in_its_order(prepared: Path) -> None:
    test = pq.read_table(prepared / "test" / "test.parquet")
    columns = [next(c for c in SCHEMA.tables["claims"] if c.kind == "label"), *SCHEMA.features]
    rows = encode(columns, read_csv(prepared / LABELLED, columns))
    assert rows.num_rows == 1_000
    assert rows.equals(test)


def test_every_cell_is_as_the_files_have_it(prepared: Path, raw: Path) -> None:
    known = {tuple(row[["fraud", *SCHEMA.names]]) for _, row in raw_rows(raw).iterrows()}
    assert {tuple(row.values()) for row in labelled(prepared)} <= known


def test_odd_cells_keep_their_text(spoil: Spoil, tmp_path: Path) -> None:
    odd = {"injury_claim": "123456.789012345", "vehicle_claim": "1e3", "total_claim_amount": "", "incident_day": "07"}
    odd |= {"authorities_contacted": "N/A", "collision_type": ""}

    def everywhere(lines: list[str]) -> list[str]:
        header, *rows = (line.split(",") for line in lines)
        for row in rows:
            row[:] = [odd.get(name, cell) for name, cell in zip(header, row, strict=True)]
        return [",".join(row) for row in [header, *rows]]

    preprocess.preprocess(spoil("claims", everywhere), tmp_path / "out", seed=1)
    rows = labelled(tmp_path / "out")
    assert len(rows) == 80
    assert all(row[name] == cell for row in rows for name, cell in odd.items())


def test_no_more_are_kept_than_allowed(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preprocess.preprocess(small, tmp_path / "all", seed=1)
    monkeypatch.setattr(preprocess, "LABELLED_ROWS", 7)
    preprocess.preprocess(small, tmp_path / "few", seed=1)
    everything = (tmp_path / "all" / LABELLED).read_bytes()
    few = (tmp_path / "few" / LABELLED).read_bytes()
    assert few.count(b"\n") == 8
    assert everything.startswith(few)
    assert (tmp_path / "few" / "test" / "test.parquet").read_bytes() == (
        tmp_path / "all" / "test" / "test.parquet"
    ).read_bytes()


def test_many_files_and_customers_in_another_order_give_the_same_rows(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    claims = pd.read_csv(small / "claims.csv", dtype=str, keep_default_na=False)
    for number, part in enumerate((claims.iloc[:150], claims.iloc[:0], claims.iloc[150:])):
        part.iloc[:, ::-1].to_csv(folder / f"claims_{number}.csv", index=False)
    customers = pd.read_csv(small / "customers.csv", dtype=str, keep_default_na=False)
    customers.sample(frac=1, random_state=1).to_csv(folder / "customers.csv", index=False)
    preprocess.preprocess(small, tmp_path / "one", seed=1)
    preprocess.preprocess(folder, tmp_path / "many", seed=1)
    assert (tmp_path / "one" / LABELLED).read_bytes() == (tmp_path / "many" / LABELLED).read_bytes()
