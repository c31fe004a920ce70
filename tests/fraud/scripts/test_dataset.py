"""The generator: same bytes for a seed, any size in pieces, the schema's own values."""

import copy
import hashlib
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import preprocess
from pipelines.fraud import dataset
from pipelines.fraud.dataset import SCHEMA, chunks, claims, customers, main, write
from pipelines.fraud.settings import SCRIPTS
from tests.fraud.scripts.own_data import files

IN_USE = SCRIPTS / "schema.json"


def digest(folder: Path) -> str:
    return hashlib.sha256(
        b"".join((folder / f"{name}.csv").read_bytes() for name in ("claims", "customers"))
    ).hexdigest()


def test_the_default_data_set_is_these_bytes_on_every_platform(raw: Path) -> None:
    assert digest(raw) == "251b223afff0b9adfef8acc4dcbb5540fbbbe071912fc62fa62313c2a3482d98"


def test_two_seeds_give_different_data(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(tmp_path / str(seed), rows=100, seed=seed)
    assert digest(tmp_path / "1") != digest(tmp_path / "2")


@pytest.mark.parametrize("table", [claims, customers])
def test_the_size_of_the_chunks_does_not_change_the_rows(table: dataset.Maker) -> None:
    whole = table(7, 1, 1001)
    pieces = list(chunks(table, 1000, 7, chunk_rows=64))
    assert max(piece.num_rows for piece in pieces) == 64
    assert pa.concat_tables(pieces).equals(whole)


def test_a_small_data_set_is_the_beginning_of_a_large_one(tmp_path: Path) -> None:
    write(tmp_path / "small", rows=50)
    write(tmp_path / "large", rows=90)
    small, large = ((tmp_path / size / "claims.csv").read_text() for size in ("small", "large"))
    assert large.startswith(small)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "CHUNK_ROWS", 1_000)
    write(tmp_path, rows=10)
    peaks = []
    for rows in (2_000, 20_000):
        tracemalloc.start()
        arrow = pa.total_allocated_bytes()
        write(tmp_path, rows=rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert pa.total_allocated_bytes() <= arrow + 1_000_000
    assert peaks[1] < 1.5 * peaks[0]


def test_about_three_in_a_hundred_claims_are_fraud() -> None:
    shares = [np.mean(claims(seed, 1, 20_001)["fraud"].to_numpy()) for seed in range(5)]
    assert min(shares) > 0.028
    assert max(shares) < 0.036


@pytest.mark.parametrize("table", [claims, customers])
def test_every_category_of_the_schema_occurs_and_no_other(table: dataset.Maker) -> None:
    rows = table(3, 1, 20_001)
    for column in SCHEMA["tables"][table.__name__]:
        if column["kind"] == "category":
            assert set(rows[column["name"]].to_pylist()) == set(column["categories"]), column["name"]


def test_the_columns_are_those_of_the_public_data_set_in_its_order(raw: Path) -> None:
    header = (raw / "claims.csv").read_text().splitlines()[0]
    assert header == (
        "policy_id,driver_relationship,incident_type,collision_type,incident_severity,authorities_contacted,"
        "num_vehicles_involved,num_injuries,num_witnesses,police_report_available,injury_claim,vehicle_claim,"
        "total_claim_amount,incident_month,incident_day,incident_dow,incident_hour,fraud"
    )
    header = (raw / "customers.csv").read_text().splitlines()[0]
    assert header == (
        "policy_id,customer_age,months_as_customer,num_claims_past_year,num_insurers_past_5_years,policy_state,"
        "policy_deductable,policy_annual_premium,policy_liability,customer_zip,customer_gender,customer_education,auto_year"
    )


def test_amounts_add_up_and_have_at_most_two_decimals(raw: Path) -> None:
    rows = pd.read_csv(raw / "claims.csv", keep_default_na=False, dtype=str)
    assert rows["total_claim_amount"].str.fullmatch(r"\d+(\.\d\d?)?").all()
    cents = {name: (rows[name].astype(float) * 100).round() for name in ("injury_claim", "vehicle_claim")}
    assert (
        cents["injury_claim"] + cents["vehicle_claim"] == (rows["total_claim_amount"].astype(float) * 100).round()
    ).all()


def test_no_single_column_gives_the_label_away() -> None:
    honest_or_not = claims(1, 1, 50_001)["fraud"].to_numpy() == 1
    for table in (claims, customers):
        for name, values in zip(table(1, 1, 50_001).column_names, table(1, 1, 50_001).columns, strict=True):
            if name not in ("fraud", "policy_id"):
                codes = values.combine_chunks().dictionary_encode().indices.to_numpy()
                shares = (
                    np.bincount(codes, weights=honest_or_not)[np.bincount(codes) > 200]
                    / np.bincount(codes)[np.bincount(codes) > 200]
                )
                assert shares.size == 0 or shares.max() < 0.25, name


def test_the_command_writes_both_tables(tmp_path: Path) -> None:
    assert main(["--rows", "10", "--seed", "5", "--output", str(tmp_path / "new" / "folder")]) == 0
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == ["claims.csv", "customers.csv"]
    assert len((tmp_path / "new" / "folder" / "claims.csv").read_text().splitlines()) == 11


def test_no_rows_is_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rows", "0", "--output", str(tmp_path / "out")])
    assert "--rows 0: give at least 1 policy" in capsys.readouterr().err
    with pytest.raises(ValueError, match="give at least 1 policy"):
        write(tmp_path / "out", rows=0)
    assert not (tmp_path / "out").exists()


def test_what_was_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my data"
    assert main(["--output", str(folder), "--rows", "3"]) == 0
    assert capsys.readouterr().out == f"claims.csv and customers.csv in '{folder}': 3 policies, seed 2026\n"


def test_a_mistake_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--output", str(tmp_path / "file")]) == 1
    with pytest.raises(SystemExit):
        main(["--rows", "many"])
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(f": error: {tmp_path / 'file'}: File exists")
    assert ": error: argument --rows: invalid int value: 'many'" in second


def test_the_sample_data_fit_a_schema_with_their_columns_whatever_they_may_hold() -> None:
    schema = copy.deepcopy(SCHEMA)
    schema["tables"]["claims"][1] = {"name": "driver_relationship", "kind": "category"}
    assert dataset.fits(schema)
    schema["tables"]["claims"][1] = {"name": "driver", "kind": "category"}
    assert not dataset.fits(schema)
    assert not dataset.fits({"tables": {"claims": SCHEMA["tables"]["claims"]}})


@pytest.mark.skipif(not dataset.fits(json.loads(IN_USE.read_text())), reason="the pipeline is for other data")
def test_the_schema_in_use_reads_the_sample_data_as_their_own_does(small: Path, tmp_path: Path) -> None:
    for name, schema_file in (("own", dataset.SCHEMA_FILE), ("in use", IN_USE)):
        preprocess.preprocess(small, tmp_path / name, seed=1, schema_file=schema_file)
    assert files(tmp_path / "own") == files(tmp_path / "in use")
