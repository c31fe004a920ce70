"""Train: what it saves and prints, and the hyperparameters it takes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost as xgb
from sklearn.metrics import roc_auc_score

import inference
import train
from columns import DataError, load_schema
from features import matrix, roc_auc
from pipelines.fraud.hyperparameters import RANGES, UNTUNED

# What SageMaker defines for the XGBoost container; #011 is a tab in the log.
BUILT_IN = re.compile(r".*\[[0-9]+\].*#011validation-auc:(\S+)")


@pytest.fixture
def channels(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for channel in ("train", "validation", "schema"):
        monkeypatch.setenv(f"SM_CHANNEL_{channel.upper()}", str(prepared / channel))
    monkeypatch.setenv("SM_MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("SM_OUTPUT_DIR", str(tmp_path / "ml" / "output"))
    (tmp_path / "ml").mkdir()
    return tmp_path


def load(model_dir: Path) -> xgb.Booster:
    booster = xgb.Booster()
    booster.load_model(bytearray((model_dir / "xgboost-model").read_bytes()))
    return booster


def test_the_model_folder_holds_the_model_the_schema_and_the_code_that_serves_it(channels: Path) -> None:
    assert train.main(["--num_round", "2"]) == 0
    names = sorted(
        str(file.relative_to(channels / "model")) for file in (channels / "model").rglob("*") if file.is_file()
    )
    assert names == [
        "code/claims.py",
        "code/columns.py",
        "code/features.py",
        "code/inference.py",
        "schema.json",
        "xgboost-model",
    ]


# XGBoost says that it guesses the format, as it does of its own container's model file.
@pytest.mark.filterwarnings("ignore:.*Unknown file format")
def test_xgboost_loads_the_model_from_its_path_as_the_container_does(model_dir: Path) -> None:
    booster = xgb.Booster()
    booster.load_model(model_dir / "xgboost-model")
    assert booster.feature_names == load_schema(model_dir / "schema.json").names


def test_two_trainings_give_the_same_bytes(channels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--num_round", "8", "--subsample", "0.7", "--colsample_bytree", "0.5", "--seed"]
    models: list[bytes] = []
    for seed in ("1", "1", "2"):
        monkeypatch.setenv("SM_MODEL_DIR", str(channels / f"model{len(models)}"))
        assert train.main([*arguments, seed]) == 0
        models.append((channels / f"model{len(models)}" / "xgboost-model").read_bytes())
    assert models[0] == models[1] != models[2]


def test_each_round_prints_a_line_that_metric_definitions_match(
    channels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--num_round", "5", "--early_stopping_rounds", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(re.fullmatch(r"\[\d+\]\ttrain-auc:[0-9.]+\tvalidation-auc:[0-9.]+", line) for line in lines)
    assert all(BUILT_IN.match(line.replace("\t", "#011")) for line in lines)


def test_the_last_line_is_the_saved_rounds(channels: Path, prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--num_round", "60", "--early_stopping_rounds", "5", "--max_depth", "6", "--eta", "0.5"]) == 0
    *rounds, last = capsys.readouterr().out.splitlines()
    values = [float(line.rpartition(":")[2]) for line in rounds]
    best = int(np.argmax(values))
    booster = load(channels / "model")
    assert last == rounds[best]
    assert len(rounds) == best + 1 + 5
    assert booster.num_boosted_rounds() == best + 1
    table = pq.read_table(prepared / "validation" / "validation.parquet")
    model = inference.model_fn(channels / "model")
    scores = model.predict(matrix(table, model.schema.names))
    assert roc_auc_score(table["fraud"].to_numpy(), scores) == pytest.approx(max(values), abs=1e-6)


def test_no_early_stopping_runs_all_rounds_and_still_saves_the_best(
    channels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--num_round", "30", "--early_stopping_rounds", "0", "--max_depth", "6", "--eta", "0.8"]) == 0
    *rounds, last = capsys.readouterr().out.splitlines()
    assert len(rounds) == 30
    assert load(channels / "model").num_boosted_rounds() == rounds.index(last) + 1 < 30


def test_the_class_weight_is_the_datas_unless_it_is_given(channels: Path, prepared: Path) -> None:
    labels = pq.read_table(prepared / "train" / "train.parquet")["fraud"].to_numpy()
    weights = []
    for arguments in ([], ["--scale_pos_weight", "3"]):
        assert train.main(["--num_round", "1", *arguments]) == 0
        objective = json.loads(load(channels / "model").save_config())["learner"]["objective"]
        weights.append(float(objective["reg_loss_param"]["scale_pos_weight"]))
    assert weights == [pytest.approx((labels == 0).sum() / labels.sum(), rel=1e-6), 3.0]


def test_categories_are_categories_to_the_model(model_dir: Path) -> None:
    schema, booster = load_schema(model_dir / "schema.json"), load(model_dir)
    assert booster.feature_types == schema.types
    assert schema.types.count("c") == sum(column.kind == "category" for column in schema.features) == 10


def test_every_tuned_and_untuned_hyperparameter_is_one_that_train_knows(channels: Path) -> None:
    given = [text for name, value in UNTUNED.items() for text in (f"--{name}", str(value))]
    options = train.parse(given)
    assert {name: getattr(options, name) for name in UNTUNED} == UNTUNED
    for name, limits in RANGES.items():
        known = train.HYPERPARAMETERS[name]
        assert known.low <= limits.low < limits.high <= known.high
        assert (limits.kind == "Integer") == (known.kind is int)


BAD_ARGUMENTS = [
    (["--max_dept", "3"], "hyperparameter 'max_dept' is not known; allowed: num_round, early_stopping_rounds, eta"),
    (["--eta", "2"], "argument --eta: '2' is not allowed; allowed: a number from 0 to 1"),
    (["--max_depth", "2.5"], "argument --max_depth: '2.5' is not allowed; allowed: a whole number from 1 to 30"),
    (["--alpha", "nan"], "argument --alpha: 'nan' is not allowed; allowed: a number from 0"),
    (["--num_round", "0"], "argument --num_round: '0' is not allowed; allowed: a whole number from 1 to 100000"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS)
def test_a_bad_hyperparameter_is_named_and_nothing_is_saved(
    arguments: list[str], message: str, channels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert (channels / "ml" / "output" / "failure").read_text() == error.strip()
    assert not (channels / "model").exists()


def test_an_empty_channel_is_named(channels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (channels / "nothing").mkdir()
    monkeypatch.setenv("SM_CHANNEL_TRAIN", str(channels / "nothing"))
    assert train.main(["--num_round", "1"]) == 1
    assert (
        "nothing: no rows in *.parquet; give the Preprocess step's output"
        in (channels / "ml/output/failure").read_text()
    )
    assert not (channels / "model").exists()


@pytest.mark.parametrize("channel", ["train", "validation"])
def test_a_channel_with_one_class_is_named(channel: str, channels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = channels / "one"
    shutil.copytree(Path(os.environ[f"SM_CHANNEL_{channel.upper()}"]), folder)
    file = folder / f"{channel}.parquet"
    table = pq.read_table(file)
    pq.write_table(table.filter(pa.array(table["fraud"].to_numpy() == 0)), file)
    monkeypatch.setenv(f"SM_CHANNEL_{channel.upper()}", str(folder))
    assert train.main(["--num_round", "1"]) == 1
    assert (channels / "ml/output/failure").read_text() == f"channel {channel}: every label is 0; allowed: both 0 and 1"
    assert not (channels / "model").exists()


def test_many_files_and_row_groups_train_the_same_model_as_one(prepared: Path, tmp_path: Path) -> None:
    table = pq.read_table(prepared / "train" / "train.parquet")
    pq.write_table(table.slice(0, 1_000), tmp_path / "a.parquet", row_group_size=300)
    pq.write_table(table.slice(1_000), tmp_path / "b.parquet", row_group_size=700)
    schema = load_schema(prepared / "schema" / "schema.json")
    boosters = [
        train.train(folder, prepared / "validation", schema, {"num_round": 5, "max_depth": 3})
        for folder in (prepared / "train", tmp_path)
    ]
    rows = matrix(pq.read_table(prepared / "test" / "test.parquet"), schema.names)
    one, many = (inference.Model(booster, schema).predict(rows) for booster in boosters)
    assert np.allclose(one, many, atol=0.02)


def test_a_large_train_set_is_watched_through_a_sample(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = load_schema(prepared / "schema" / "schema.json")
    monkeypatch.setattr(train, "WATCHED_ROWS", 1_000)
    booster = train.train(
        prepared / "train", prepared / "validation", schema, {"num_round": 3, "early_stopping_rounds": 0}
    )
    printed = float(capsys.readouterr().out.splitlines()[-1].split("\t")[1].partition(":")[2])
    table = pq.read_table(prepared / "train" / "train.parquet").take(pa.array(range(0, 3_000, 3)))
    scores = inference.Model(booster, schema).predict(matrix(table, schema.names))
    expected = roc_auc(table["fraud"].to_numpy() == 1, scores)
    assert printed == pytest.approx(expected, abs=1e-6)


def test_our_roc_auc_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    labels = generator.random(500) < 0.1
    for scores in (generator.random(500), generator.integers(0, 5, 500), np.zeros(500)):
        assert roc_auc(labels, scores.astype(np.float32)) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert np.isnan(roc_auc(np.ones(3, dtype=bool), np.ones(3, dtype=np.float32)))


def test_missing_values_reach_xgboost_as_missing() -> None:
    table = pa.table({"a": pa.array([1, None], pa.int8()), "b": pa.array([None, 2.5], pa.float32())})
    assert np.array_equal(matrix(table, ["b", "a"]), np.array([[np.nan, 1], [2.5, np.nan]], np.float32), equal_nan=True)


def test_the_script_runs_as_a_container_runs_it(channels: Path) -> None:
    ran = subprocess.run(
        [sys.executable, train.__file__, "--num_round", "2"], capture_output=True, text=True, check=False, cwd=channels
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (channels / "model" / "xgboost-model").is_file()


def test_a_data_error_is_a_value_error() -> None:
    assert issubclass(DataError, ValueError)
