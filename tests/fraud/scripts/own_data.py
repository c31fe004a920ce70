"""A data set of another kind than the sample: one table of passengers, with texts for labels and no id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import preprocess

Json = dict[str, Any]
SETS = ("train", "validation", "test")


@dataclass(frozen=True)
class OwnData:
    """A folder with tables, and the schema of them."""

    folder: Path
    schema_file: Path

    def write_schema(self, document: Json) -> None:
        self.schema_file.write_text(json.dumps(document), encoding="utf-8")

    def run(self, output: Path, seed: int = 1) -> dict[str, pd.DataFrame]:
        """Preprocess, and return the three sets."""
        preprocess.preprocess(self.folder, output, seed=seed, schema_file=self.schema_file)
        return {name: pq.read_table(output / name / f"{name}.parquet").to_pandas() for name in SETS}


def passengers(rows: int = 300) -> pd.DataFrame:
    """Rows of which every third survived."""
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "ticket": [f"T-{number}" for number in numbers],
            "port": np.array(["Cork", "Dover", "Brest"])[numbers % 7 % 3],
            "class": 1 + numbers % 5 % 3,
            "fare": np.round(numbers * 1.37 % 90, 2),
            "age": np.where(numbers % 11 == 0, np.nan, 1.0 + numbers % 70),
            "survived": np.where(numbers % 3 == 0, "yes", "no"),
        }
    )


def passengers_schema() -> Json:
    """The schema of the passengers, as one would write it."""
    columns = [
        {"name": "port", "kind": "category"},
        {"name": "class", "kind": "category"},
        {"name": "fare", "kind": "number"},
        {"name": "age", "kind": "integer", "minimum": 0},
        {"name": "survived", "kind": "label", "positive": "yes"},
    ]
    return {"label": "survived", "drop": ["ticket"], "tables": {"passengers": columns}}


def make(folder: Path, table: pd.DataFrame | None = None, document: Json | None = None) -> OwnData:
    """Write passengers.csv and a schema below a folder."""
    data = OwnData(folder / "data", folder / "schema.json")
    data.folder.mkdir(parents=True)
    (passengers() if table is None else table).to_csv(data.folder / "passengers.csv", index=False)
    data.write_schema(document or passengers_schema())
    return data


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
