"""The sample data: a seeded generator of the claims and customers tables at any size.

The story: an honest claim hangs together, a fraudulent one often does not. A police report exists where the police
came, the repair bill fits the damage, the money for injuries fits the injured, and a night accident has few
witnesses. Fraudsters get such pairs wrong far more often than honest customers, while each column alone looks as
usual: a model that takes the columns one by one misses it. On top, they are newer customers and change insurers more
often, which any model sees.

Every value is integer arithmetic on a hash of (seed, column, policy number): the bytes are the same on every platform
and for every size of the chunks, and the first policies of a large data set are those of a small one.
"""

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

Integers = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Maker = Callable[[int, int, int], pa.Table]

SCHEMA_FILE = Path(__file__).with_name("sample.json")
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
DEFAULT_ROWS = 5_000
DEFAULT_SEED = 2026
CHUNK_ROWS = 65_536
FRAUD_SHARE = 0.032

# How often the two halves of a claim's story do not fit, among honest and fraudulent claims.
HONEST_SLIP, FRAUD_SLIP = 0.04, 0.70

WEIGHTS: dict[str, Sequence[float]] = {
    "driver_relationship": (80, 10, 5, 5),
    "incident_type": (85, 10, 5),
    "collision_type": (50, 25, 25),
    "incident_severity": (40, 30, 30),
    "authorities_contacted": (52, 9, 9, 30),
    "num_vehicles_involved": (5, 60, 28, 6, 1),
    "num_injuries": (55, 28, 8, 5, 4),
    "policy_state": (62, 12, 11, 7, 5, 3),
    "policy_deductable": (96, 2, 1, 1),
    "policy_liability": (34, 33, 23, 10),
    "customer_gender": (46, 44, 8, 2),
    "customer_education": (44, 25, 19, 10, 2),
}
# Columns that differ by themselves between honest (first) and fraudulent claims (second).
WEIGHTS_BY_FRAUD: dict[str, tuple[Sequence[float], Sequence[float]]] = {
    "num_insurers_past_5_years": ((75, 12, 7, 4, 2), (46, 22, 15, 9, 8)),
    "num_claims_past_year": ((92, 6, 2, 0), (84, 11, 4, 1)),
}
# Ends of the claimed amounts (cents): small, middle, large.
VEHICLE_BANDS = ((100_000, 1_400_000), (900_000, 2_400_000), (1_800_000, 5_000_000))
INJURY_BANDS = ((30_000, 1_200_000), (800_000, 8_000_000))
ZIP_CODES = ((90_001, 96_162), (98_001, 99_403), (85_001, 86_556), (97_001, 97_920), (88_901, 89_883), (83_201, 83_877))
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Draws:
    """Random numbers for a range of policies: one 32-bit stream a name, without state."""

    seed: int
    start: int
    stop: int

    def stream(self, name: str) -> Integers:
        """Return uniform integers below 2**32, one a policy: SplitMix64 of its number, keyed by seed and name."""
        key = int.from_bytes(hashlib.sha256(f"{self.seed}/{name}".encode()).digest()[:8], "big")
        mixed = np.arange(self.start, self.stop, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(32)

    def chance(self, name: str, share: float) -> Flags:
        """Return True for the given share of the policies."""
        return self.stream(name) < np.uint64(round(share * 2**32))

    def between(self, name: str, low: npt.ArrayLike, high: npt.ArrayLike) -> Integers:
        """Return uniform integers from low to high, both included."""
        first, last = np.asarray(low, dtype=np.uint64), np.asarray(high, dtype=np.uint64)
        values: Integers = first + ((self.stream(name) * (last - first + np.uint64(1))) >> np.uint64(32))
        return values

    def pick(self, name: str, weights: Sequence[float]) -> Integers:
        """Return positions in weights, drawn in their proportion."""
        edges = [round(sum(weights[: n + 1]) / sum(weights) * 2**32) for n in range(len(weights) - 1)]
        positions = np.searchsorted(np.array(edges, dtype=np.uint64), self.stream(name), side="right")
        return positions.astype(np.uint64)

    def column(self, name: str) -> Integers:
        """Return positions drawn by the column's own weights, which may depend on the label."""
        if name in WEIGHTS:
            return self.pick(name, WEIGHTS[name])
        honest, fraudulent = WEIGHTS_BY_FRAUD[name]
        return np.where(self.fraud(), self.pick(name, fraudulent), self.pick(name, honest))

    def fraud(self) -> Flags:
        """Return the label."""
        return self.chance("fraud", FRAUD_SHARE)

    def slip(self, name: str) -> Flags:
        """Return where the named pair of columns does not fit together."""
        return np.where(self.fraud(), self.chance(name, FRAUD_SLIP), self.chance(name, HONEST_SLIP))


def claims(seed: int, start: int, stop: int) -> pa.Table:
    """Return the claims of the policies start to stop - 1."""
    draws = Draws(seed, start, stop)
    columns = {"policy_id": np.arange(start, stop), **_incident(draws), **_story(draws), **_date(draws)}
    columns["total_claim_amount"] = _money(columns["injury_claim"] + columns["vehicle_claim"])
    for name in ("injury_claim", "vehicle_claim"):
        columns[name] = _money(columns[name])
    columns["fraud"] = draws.fraud().astype(np.int8)
    return _table("claims", columns)


def customers(seed: int, start: int, stop: int) -> pa.Table:
    """Return the customers of the policies start to stop - 1."""
    draws = Draws(seed, start, stop)
    months = draws.between("months_as_customer", 1, 360)
    newer = months * draws.between("newer", 1, 360) // np.uint64(360)
    state = draws.column("policy_state")
    low, high = np.array(ZIP_CODES, dtype=np.uint64).T
    columns = {
        "policy_id": np.arange(start, stop),
        "customer_age": draws.between("customer_age", 18, 44) + draws.between("customer_age_more", 0, 28),
        "months_as_customer": np.where(draws.fraud(), newer, months),
        "num_claims_past_year": draws.column("num_claims_past_year"),
        "num_insurers_past_5_years": draws.column("num_insurers_past_5_years") + np.uint64(1),
        "policy_state": state,
        "policy_deductable": draws.column("policy_deductable") * np.uint64(50) + np.uint64(750),
        "policy_annual_premium": draws.between("policy_annual_premium", 44, 60) * np.uint64(50),
        "customer_zip": draws.between("customer_zip", low[state], high[state]),
        "auto_year": np.uint64(2020)
        - (draws.between("auto_year", 0, 19) * draws.between("auto_wear", 0, 19)) // np.uint64(19),
    }
    columns |= {name: draws.column(name) for name in ("policy_liability", "customer_gender", "customer_education")}
    return _table("customers", columns)


def _incident(draws: Draws) -> dict[str, Any]:
    kind = draws.column("incident_type")
    collision = kind == 0
    return {
        "incident_type": kind,
        "driver_relationship": np.where(collision, draws.column("driver_relationship"), 4),
        "collision_type": np.where(collision, draws.column("collision_type"), 3),
        "num_vehicles_involved": np.where(collision, draws.column("num_vehicles_involved") + np.uint64(1), 1),
    }


def _story(draws: Draws) -> dict[str, Any]:
    authorities, severity, injuries = (
        draws.column(name) for name in ("authorities_contacted", "incident_severity", "num_injuries")
    )
    hour = draws.between("incident_hour", 0, 23)
    lonely = ((hour < 6) | (hour > 17)) ^ draws.slip("witnesses")
    damage = np.where(draws.slip("damage"), (np.uint64(2) - severity), severity)
    middle_slip = draws.slip("damage") & (severity == 1)
    damage = np.where(middle_slip, draws.pick("middle", (1, 1)) * np.uint64(2), damage)
    hurt = ((injuries > 0) ^ draws.slip("injury")).astype(np.intp)
    return {
        "authorities_contacted": authorities,
        "police_report_available": ((authorities != 0) ^ draws.slip("report")).astype(np.intp),
        "incident_severity": severity,
        "vehicle_claim": draws.between("vehicle_claim", *np.array(VEHICLE_BANDS, dtype=np.uint64)[damage].T),
        "num_injuries": injuries,
        "injury_claim": draws.between("injury_claim", *np.array(INJURY_BANDS, dtype=np.uint64)[hurt].T),
        "incident_hour": hour,
        "num_witnesses": np.where(lonely, 0, draws.pick("num_witnesses", (50, 33, 13, 4)) + np.uint64(1)),
    }


def _date(draws: Draws) -> dict[str, Any]:
    month = draws.between("incident_month", 1, 12)
    return {
        "incident_month": month,
        "incident_day": draws.between("incident_day", 1, np.array(MONTH_DAYS)[month - np.uint64(1)]),
        "incident_dow": draws.between("incident_dow", 0, 6),
    }


def _money(cents: Integers) -> npt.NDArray[np.float64]:
    # One correctly rounded division: the shortest text of the result has at most two decimals, on every platform.
    return cents.astype(np.float64) / 100


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    arrays = {}
    for column in SCHEMA["tables"][name]:
        values = columns[column["name"]]
        if column["kind"] == "category":
            arrays[column["name"]] = pa.array(column["categories"]).take(pa.array(values.astype(np.int32)))
        else:
            arrays[column["name"]] = pa.array(values if values.dtype == np.float64 else values.astype(np.int64))
    return pa.table(arrays)


def fits(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema's tables have the columns that the sample data have, whatever they may hold."""
    return _columns_of(schema) == _columns_of(SCHEMA)


def _columns_of(schema: Mapping[str, Any]) -> dict[str, set[str]]:
    return {name: {column["name"] for column in columns} for name, columns in schema["tables"].items()}


def chunks(table: Maker, rows: int, seed: int, *, chunk_rows: int | None = None) -> Iterator[pa.Table]:
    """Yield one table's rows in pieces of at most chunk_rows, CHUNK_ROWS by default."""
    step = chunk_rows or CHUNK_ROWS
    for start in range(1, rows + 1, step):
        yield table(seed, start, min(start + step, rows + 1))


def write(folder: Path, *, rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> None:
    """Write claims.csv and customers.csv into folder; each file appears when it is whole."""
    if rows < 1:
        raise ValueError(f"--rows {rows}: give at least 1 policy")
    folder.mkdir(parents=True, exist_ok=True)
    for table in (claims, customers):
        name = table.__name__
        partial = folder / f".{name}.csv.partial"
        with partial.open("wb") as sink:
            # Arrow versions differ in how they quote a header, so it is written here.
            sink.write((",".join(column["name"] for column in SCHEMA["tables"][name]) + "\n").encode())
            options = csv.WriteOptions(include_header=False, quoting_style="none")
            for chunk in chunks(table, rows, seed):
                csv.write_csv(chunk, sink, options)
        partial.replace(folder / f"{name}.csv")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sample data as the command line says."""
    parser = _Parser(description="Write sample data: claims.csv and customers.csv.")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="policies (default %(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed (default %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder to write into")
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error(f"--rows {options.rows}: give at least 1 policy")
    try:
        write(options.output, rows=options.rows, seed=options.seed)
    except OSError as error:
        sys.stderr.write(f"{parser.prog}: error: {error.filename or options.output}: {error.strerror}\n")
        return 1
    folder = shlex.quote(str(options.output))
    sys.stdout.write(f"claims.csv and customers.csv in {folder}: {options.rows} policies, seed {options.seed}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
