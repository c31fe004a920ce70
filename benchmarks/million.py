"""A million policies: the generator, Preprocess and Train beside bare scripts that do the same work the best known way.

`python -m benchmarks.million` runs whole processes in turn, several times, and prints each one's median wall time, its
peak memory, and the ratio of our median to the bare script's. Polars is measured when it is installed.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
STEPS = ROOT / "pipelines" / "fraud" / "steps"
# A process: its arguments, and what it has in its environment besides ours.
Command = tuple[Sequence[str], Mapping[str, str]]

BARE_PANDAS = """
import sys, numpy as np, pandas as pd
raw, out = sys.argv[1:]
read = lambda name: pd.read_csv(f"{raw}/{name}.csv", engine="pyarrow", keep_default_na=False)
data = read("claims").merge(read("customers"), on="policy_id").drop(columns="policy_id")
for name in data.columns[~data.dtypes.map(pd.api.types.is_numeric_dtype)]:
    data[name] = data[name].astype("category")
split = np.random.default_rng(42).choice(3, len(data), p=[0.6, 0.2, 0.2])
for position, name in enumerate(["train", "validation", "test"]):
    data[split == position].to_parquet(f"{out}/{name}.parquet")
"""
BARE_PYARROW = """
import sys, numpy as np, pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
raw, out = sys.argv[1:]
options = csv.ConvertOptions(auto_dict_encode=True, strings_can_be_null=False)
claims, customers = (csv.read_csv(f"{raw}/{name}.csv", convert_options=options) for name in ("claims", "customers"))
order = np.argsort(customers["policy_id"].to_numpy())
rows = order[np.searchsorted(customers["policy_id"].to_numpy(), claims["policy_id"].to_numpy(), sorter=order)]
customers = customers.take(pa.array(rows)).drop_columns(["policy_id"])
data = claims.drop_columns(["policy_id"])
for name in customers.column_names:
    data = data.append_column(name, customers[name])
data = data.unify_dictionaries()
split = np.random.default_rng(42).choice(3, len(data), p=[0.6, 0.2, 0.2])
for position, name in enumerate(["train", "validation", "test"]):
    pq.write_table(data.filter(pa.array(split == position)), f"{out}/{name}.parquet")
"""
BARE_POLARS = """
import sys, numpy as np, polars as pl
raw, out = sys.argv[1:]
read = lambda name: pl.read_csv(f"{raw}/{name}.csv")
data = read("claims").join(read("customers"), on="policy_id").drop("policy_id")
data = data.with_columns(pl.col(pl.String).cast(pl.Categorical))
split = np.random.default_rng(42).choice(3, len(data), p=[0.6, 0.2, 0.2])
for position, name in enumerate(["train", "validation", "test"]):
    data.filter(pl.Series(split == position)).write_parquet(f"{out}/{name}.parquet")
"""
BARE_TRAIN = """
import sys, pandas as pd, xgboost as xgb
folder, out, watched = sys.argv[1:]
schema = [line for line in open(f"{folder}/schema/schema.json") if '"kind"' in line]
def matrix(name, **options):
    data = pd.read_parquet(f"{folder}/{name}/{name}.parquet")
    labels = data.pop("fraud")
    types = ["c" if any(f'"{c}"' in line and '"category"' in line for line in schema) else "q" for c in data]
    return xgb.QuantileDMatrix(data.to_numpy("float32"), label=labels, feature_types=types, **options)
train = matrix("train")
watch = {"nothing": [], "validation": ["validation"], "both": ["train", "validation"]}[watched]
evals = [(train if name == "train" else matrix("validation", ref=train), name) for name in watch]
parameters = dict(objective="binary:logistic", tree_method="hist", max_depth=6, eta=0.1, max_cat_to_onehot=64)
parameters |= dict(eval_metric="auc", scale_pos_weight=30)
xgb.train(parameters, train, 100, evals=evals).save_model(f"{out}/model.ubj")
"""


class Usage(NamedTuple):
    """What one process took; its CPU seconds suffer less from a busy machine than its wall time."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a process to its end and return its wall time and peak memory; raise RuntimeError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {process.returncode}")
    # Linux counts in kilobytes, macOS in bytes.
    return Usage(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    )


def compare(title: str, repeats: int, commands: Mapping[str, Command]) -> None:
    """Run the commands in turn; print medians, and the first one's ratio to each."""
    runs: dict[str, list[Usage]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, (command, environment) in commands.items():
            runs[name].append(measure(command, environment))
    medians = {name: statistics.median(usage.seconds for usage in usages) for name, usages in runs.items()}
    ours = next(iter(medians.values()))
    print(f"\n{title}: medians of {repeats}")
    for name, usages in runs.items():
        peak = max(usage.megabytes for usage in usages)
        fastest = min(usage.seconds for usage in usages)
        cpu = statistics.median(usage.cpu_seconds for usage in usages)
        print(
            f"  {name:<38}{medians[name]:>7.2f} s (min {fastest:.2f}, CPU {cpu:.2f}){peak:>6.0f} MB"
            f"   ours / this {ours / medians[name]:.2f}"
        )


def preprocess_commands(raw: Path, folder: Path) -> dict[str, Command]:
    """Return Preprocess and the bare scripts for it."""
    script = [sys.executable, str(STEPS / "preprocess.py"), "--input-dir", str(raw), "--output-dir", str(folder)]
    bare = {"bare pyarrow": BARE_PYARROW, "bare pandas": BARE_PANDAS}
    if importlib.util.find_spec("polars"):
        bare["bare Polars"] = BARE_POLARS
    (folder / "bare").mkdir(parents=True)
    commands: dict[str, Command] = {
        name: ([sys.executable, "-c", code, str(raw), str(folder / "bare")], {}) for name, code in bare.items()
    }
    return {"preprocess.py": (script, {}), **commands}


def train_commands(folder: Path, model: Path) -> dict[str, Command]:
    """Return Train, 100 rounds of depth 6, and the bare scripts for it."""
    model.mkdir()
    channels = {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in ("train", "validation", "schema")}
    values = {
        "num_round": "100",
        "early_stopping_rounds": "0",
        "max_depth": "6",
        "eta": "0.1",
        "scale_pos_weight": "30",
    }
    arguments = [text for name, value in values.items() for text in (f"--{name}", value)]
    bare = [sys.executable, "-c", BARE_TRAIN, str(folder), str(model)]
    return {
        "train.py": ([sys.executable, str(STEPS / "train.py"), *arguments], {**channels, "SM_MODEL_DIR": str(model)}),
        "bare, no AUC": ([*bare, "nothing"], {}),
        "bare, validation AUC each round": ([*bare, "validation"], {}),
        "bare, both AUCs each round": ([*bare, "both"], {}),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        raw, folder = Path(temporary, "raw"), Path(temporary, "encoded")
        generator = [sys.executable, "-m", "pipelines.fraud.dataset", "--rows", str(options.rows), "--output", str(raw)]
        compare("generator", options.repeats, {"dataset.py": (generator, {})})
        compare("preprocess", options.repeats, preprocess_commands(raw, folder))
        compare("train", options.repeats, train_commands(folder, Path(temporary, "model")))


if __name__ == "__main__":
    main()
