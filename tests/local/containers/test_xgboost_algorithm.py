"""XGBoost as the built-in algorithm: what it reads, prints, writes, and refuses."""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import xgboost as xgb

import pipelines.local.containers

FOLDER = Path(pipelines.local.containers.__file__).parent
BINARY = {"num_round": "4", "objective": "binary:logistic", "eval_metric": "auc", "max_depth": "3", "seed": "1"}
PARQUET = "application/x-parquet"


class Job:
    """A training job's /opt/ml in a temporary folder, and what came out of the last run."""

    def __init__(self, tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.tree = tree
        self._capfd = capfd
        self.printed = ""

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.tree / "input" / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, hyperparameters: dict[str, str], content_type: str | None = "text/csv") -> int:
        config = self.tree / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        data = self.tree / "input" / "data"
        channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        if content_type:
            channel["ContentType"] = content_type
        channels = {folder.name: channel for folder in sorted(data.iterdir())} if data.is_dir() else {}
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        (config / "inputdataconfig.json").write_text(json.dumps(channels))
        code = 0
        try:
            runpy.run_path(str(FOLDER / "xgboost_algorithm.py"), run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
        self.printed = self._capfd.readouterr().out
        return code

    @property
    def model(self) -> xgb.Booster:
        booster = xgb.Booster()
        booster.load_model(bytearray((self.tree / "model" / "xgboost-model").read_bytes()))
        return booster

    @property
    def failure(self) -> str:
        """The reason, after checking that nothing but the reason was written."""
        assert not (self.tree / "model").exists()
        return (self.tree / "output" / "failure").read_text()

    def last(self, metric: str) -> float:
        return float(re.findall(rf"\t{re.escape(metric)}:(\S+)", self.printed)[-1])


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Job:
    monkeypatch.syspath_prepend(str(FOLDER))
    for variable, folder in {
        "SM_INPUT_CONFIG_DIR": "input/config",
        "SM_INPUT_DIR": "input",
        "SM_MODEL_DIR": "model",
        "SM_OUTPUT_DIR": "output",
    }.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    return Job(tmp_path, capfd)


def rows(count: int = 200, *, seed: int = 0, classes: int = 2) -> np.ndarray:
    """Rows of a label and three features, of which the first tells the label, with some noise."""
    random = np.random.default_rng(seed)
    features = random.random((count, 3))
    labels = np.floor(np.clip(features[:, 0] + random.normal(0, 0.15, count), 0, 0.999) * classes)
    return np.round(np.column_stack([labels, features]), 4)


def as_csv(table: np.ndarray, delimiter: str = ",") -> str:
    return "".join(delimiter.join(f"{value:g}" for value in row) + "\n" for row in table)


def as_libsvm(table: np.ndarray) -> str:
    return "".join(
        f"{row[0]:g} " + " ".join(f"{index}:{value:g}" for index, value in enumerate(row[1:]) if value) + "\n"
        for row in table
    )


def as_parquet(table: np.ndarray, **columns: str) -> bytes:
    frame = pd.DataFrame(table, columns=["label", "a", "b", "c"]).astype({"label": "int64"}).assign(**columns)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pandas(frame), sink)
    return bytes(sink.getvalue())


def test_evaluation_lines_are_printed_as_the_container_prints_them(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows()))
    job.file("validation/part.csv", as_csv(rows(seed=1)))
    assert job.run(BINARY) == 0
    lines = [line for line in job.printed.splitlines() if line.startswith("[")]
    assert len(lines) == 4
    for index, line in enumerate(lines):
        assert re.fullmatch(rf"\[{index}\]\ttrain-auc:\d\.\d{{5}}\tvalidation-auc:\d\.\d{{5}}", line)


def test_the_model_is_the_booster_that_xgboost_itself_would_train(job: Job) -> None:
    table = rows()
    job.file("train/part.csv", as_csv(table))
    assert job.run(BINARY) == 0
    data = xgb.DMatrix(table[:, 1:].astype(np.float32), label=table[:, 0])
    expected = xgb.train({"objective": "binary:logistic", "max_depth": 3, "seed": 1}, data, 4)
    np.testing.assert_array_equal(job.model.predict(data), expected.predict(data))
    assert job.model.feature_names is None
    assert sorted(path.name for path in (job.tree / "model").iterdir()) == ["xgboost-model"]


@pytest.mark.parametrize(
    ("content_type", "name", "content"),
    [
        ("text/csv", "part.csv", as_csv(rows())),
        ("text/csv; label_size=1", "part.csv", as_csv(rows(), delimiter=";")),
        ("text/csv;charset=utf8", "part", as_csv(rows(), delimiter="\t")),
        ("text/libsvm", "part.libsvm", as_libsvm(rows())),
        ("text/x-libsvm", "part.libsvm", as_libsvm(rows())),
        (None, "part", as_libsvm(rows())),
        (PARQUET, "part.parquet", as_parquet(rows())),
        ("parquet", "part.parquet", as_parquet(rows())),
    ],
)
def test_every_content_type_gives_the_same_model(
    job: Job, content_type: str | None, name: str, content: str | bytes
) -> None:
    table = rows()
    job.file(f"train/{name}", content)
    assert job.run(BINARY, content_type) == 0
    data = xgb.DMatrix(table[:, 1:].astype(np.float32), label=table[:, 0])
    expected = xgb.train({"objective": "binary:logistic", "max_depth": 3, "seed": 1}, data, 4)
    np.testing.assert_allclose(job.model.predict(data), expected.predict(data), rtol=1e-5)


def test_all_files_of_a_channel_are_read_also_in_folders_and_marks_are_not(job: Job) -> None:
    table = rows()
    job.file("train/a.csv", as_csv(table[:50]))
    job.file("train/deeper/b.csv", as_csv(table[50:]))
    job.file("train/_SUCCESS", "")
    job.file("train/_metadata", "not data")
    assert job.run(BINARY) == 0
    data = xgb.DMatrix(table[:, 1:].astype(np.float32), label=table[:, 0])
    expected = xgb.train({"objective": "binary:logistic", "max_depth": 3, "seed": 1}, data, 4)
    np.testing.assert_allclose(job.model.predict(data), expected.predict(data), rtol=1e-5)


def test_weights_in_the_second_column_count(job: Job) -> None:
    table = rows()
    heavy = np.insert(table, 1, np.where(table[:, 0] == 1, 50, 1), axis=1)
    job.file("train/part.csv", as_csv(heavy))
    assert job.run(BINARY | {"csv_weights": "1", "base_score": "0.5"}) == 0
    assert job.model.num_features() == 3
    assert job.model.predict(xgb.DMatrix(table[:, 1:])).mean() > 0.6


def test_weights_and_groups_in_libsvm_count(job: Job) -> None:
    job.file("train/part", "1:50 qid:1 0:1 1:2\n0:50 qid:1 0:2 # a comment\n\n1:1 qid:2 0:1\n0:1 qid:2 0:2 1:3\n")
    assert job.run({"num_round": "2", "objective": "rank:pairwise"}, None) == 1
    assert "group" in job.failure or "weight" in job.failure.lower()
    job.file("train/part", "1 qid:1 0:1 1:2\n0 qid:1 0:2\n1 qid:2 0:1\n0 qid:2 0:2 1:3\n")
    assert job.run({"num_round": "2", "objective": "rank:pairwise"}, None) == 0


def test_empty_fields_are_missing_values(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows()) + "1,,0.5,\n0,nan,NA,0.2\n")
    assert job.run(BINARY) == 0


def test_an_index_that_pandas_wrote_is_no_feature(job: Job) -> None:
    frame = pd.DataFrame(rows(), columns=["label", "a", "b", "c"]).sample(frac=1.0, random_state=0)
    sink = pa.BufferOutputStream()
    frame.to_parquet(sink)
    job.file("train/part.parquet", bytes(sink.getvalue()))
    assert job.run(BINARY, PARQUET) == 0
    assert job.model.num_features() == 3


def test_early_stopping_saves_the_best_round(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows(60)))
    job.file("validation/part.csv", as_csv(rows(60, seed=5)))
    hyperparameters = BINARY | {"num_round": "200", "eta": "0.9", "max_depth": "9", "early_stopping_rounds": "3"}
    assert job.run(hyperparameters | {"eval_metric": "auc,logloss"}) == 0
    losses = [float(value) for value in re.findall(r"validation-logloss:(\S+)", job.printed)]
    assert len(losses) < 200
    assert job.model.num_boosted_rounds() == losses.index(min(losses)) + 1


def test_early_stopping_needs_a_validation_channel(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    job.file("train/part.csv", as_csv(rows(60)))
    assert job.run(BINARY | {"early_stopping_rounds": "1", "num_round": "30"}) == 0
    assert job.model.num_boosted_rounds() == 30
    assert "early_stopping_rounds has no effect" in caplog.text


def test_the_tuning_metric_is_added_to_the_metrics_and_stops_early(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows(60)))
    job.file("validation/part.csv", as_csv(rows(60, seed=5)))
    tuned = {"_tuning_objective_metric": "validation:logloss", "early_stopping_rounds": "2", "num_round": "200"}
    assert job.run(BINARY | tuned | {"eta": "0.9", "max_depth": "9"}) == 0
    losses = [float(value) for value in re.findall(r"\tvalidation-logloss:(\S+)", job.printed)]
    assert "validation-auc" in job.printed
    assert job.model.num_boosted_rounds() == losses.index(min(losses)) + 1


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": lambda y, p: float(((p > 0.5) == y).mean()),
    "precision": lambda y, p: float(y[p > 0.5].mean()),
    "recall": lambda y, p: float((p > 0.5)[y == 1].mean()),
    "balanced_accuracy": lambda y, p: float(((p > 0.5)[y == 1].mean() + (p <= 0.5)[y == 0].mean()) / 2),
    "mse": lambda y, p: float(((y - p) ** 2).mean()),
    "r2": lambda y, p: float(1 - ((y - p) ** 2).mean() / y.var()),
}


@pytest.mark.parametrize("metric", METRICS)
def test_the_metrics_that_the_container_adds_have_their_usual_meaning(job: Job, metric: str) -> None:
    table, other = rows(), rows(seed=3)
    job.file("train/part.csv", as_csv(table))
    job.file("validation/part.csv", as_csv(other))
    assert job.run(BINARY | {"eval_metric": f"auc,{metric}"}) == 0
    predictions = job.model.predict(xgb.DMatrix(other[:, 1:].astype(np.float32)))
    assert job.last(f"validation-{metric}") == pytest.approx(METRICS[metric](other[:, 0], predictions), abs=1e-4)


@pytest.mark.parametrize("objective", ["multi:softmax", "multi:softprob"])
def test_metrics_of_many_classes_agree_with_each_other(job: Job, objective: str) -> None:
    job.file("train/part.csv", as_csv(rows(classes=3)))
    metrics = "merror,accuracy,f1,f1_macro,precision_macro,recall_macro,precision_micro,recall_micro"
    assert job.run({"num_round": "3", "objective": objective, "num_class": "3", "eval_metric": metrics}) == 0
    accuracy = job.last("train-accuracy")
    assert accuracy == pytest.approx(1 - job.last("train-merror"), abs=1e-4)
    assert job.last("train-precision_micro") == job.last("train-recall_micro") == accuracy
    assert job.last("train-f1") == job.last("train-f1_macro") > 0.5
    assert 0.5 < job.last("train-precision_macro") <= 1
    assert 0.5 < job.last("train-recall_macro") <= 1


def test_f1_of_the_positives_is_for_two_classes_only(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows()))
    assert job.run(BINARY | {"eval_metric": "f1_binary"}) == 0
    assert 0.5 < job.last("train-f1_binary") <= 1


def test_a_binary_metric_of_many_classes_fails(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows(classes=3)))
    multi = {"num_round": "3", "objective": "multi:softmax", "num_class": "3"}
    assert job.run(multi | {"eval_metric": "f1_binary"}) == 1
    assert "Target is multiclass but average='binary'" in job.failure


def test_the_model_so_far_is_kept_when_it_is_to_survive_termination(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.file("train/part.csv", as_csv(rows()))
    saved: list[Path] = []
    replace = Path.replace

    def watched(source: Path, target: Path) -> Path:
        saved.append(target)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", watched)
    assert job.run(BINARY | {"save_model_on_termination": "true"}) == 0
    assert saved == [job.tree / "model" / "xgboost-model"] * 5


def test_aliases_and_structured_hyperparameters_are_understood(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows()))
    given = {
        "learning_rate": "0.5",
        "reg_lambda": "2",
        "reg_alpha": "0.1",
        "min_split_loss": "0.01",
        "tree_method": "hist",
        "monotone_constraints": "(1,0,-1)",
        "interaction_constraints": "[[1, 2]]",
        "scale_pos_weight": "1.5",
        "eval_metric": "error@0.7, auc",
    }
    assert job.run(BINARY | given) == 0
    assert "train-error@0.7:" in job.printed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"num_round": ""}, "Hyperparameter num_round: could not parse value ''"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, inf)"),
        ({"num_round": "3.5"}, "Hyperparameter num_round: could not parse value '3.5'"),
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"eta": "nan"}, "Hyperparameter eta: nan is not in [0, 1]"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0 is not in (0, 1]"),
        ({"scale_pos_weight": "0"}, "Hyperparameter scale_pos_weight: 0 is not in (0, inf)"),
        ({"learning_rate": "x"}, "Hyperparameter eta: could not parse value 'x'"),
        ({"updater": "prune,magic"}, "Hyperparameter updater: prune,magic is not in (grow_colmaker,"),
        ({"n_estimators": "10"}, "Extraneous hyperparameter found: n_estimators; XGBoost"),
        ({"objective": "binary:magic"}, "Hyperparameter objective: binary:magic is not in (binary:logistic,"),
        ({"eval_metric": "auc,magic"}, "Hyperparameter eval_metric: auc,magic is not in (accuracy, auc,"),
        ({"eval_metric": "auc@0.5"}, "Hyperparameter eval_metric: auc@0.5 is not in"),
        ({"eval_metric": "error@high"}, "Hyperparameter eval_metric: error@high is not in"),
        ({"_tuning_objective_metric": "train:auc"}, "_tuning_objective_metric: train:auc is not in (validation:"),
        ({"objective": "reg:squarederror"}, "Metric 'auc' can only be applied for classification and ranking"),
        ({"objective": "multi:softmax", "eval_metric": "merror"}, "Require input for parameter 'num_class'"),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft'"),
        ({"monotone_constraints": "(1,0,0)"}, "monotone_constraints can be used only when the tree_method"),
        ({"monotone_constraints": "(2,0,0)", "tree_method": "hist"}, "monotone_constraints: (2,0,0) is not in"),
        ({"interaction_constraints": "[[a]]"}, "interaction_constraints: could not parse value '[[a]]'"),
        ({"tree_method": "gpu_hist"}, "Hyperparameter tree_method: training on GPUs does not run on this machine"),
        ({"_kfold": "5"}, "Hyperparameter _kfold: cross-validation does not run on this machine"),
    ],
)
def test_a_wrong_hyperparameter_is_named_with_what_is_allowed(job: Job, changes: dict[str, str], reason: str) -> None:
    job.file("train/part.csv", as_csv(rows(20)))
    assert job.run(BINARY | changes) == 1
    assert job.failure.startswith("UserError: ")
    assert reason in job.failure
    assert "\n" not in job.failure


def test_the_number_of_rounds_must_be_given(job: Job) -> None:
    job.file("train/part.csv", as_csv(rows(20)))
    assert job.run({"objective": "binary:logistic"}) == 1
    assert job.failure == "UserError: Missing required hyperparameter: num_round"


@pytest.mark.parametrize(
    ("content_type", "content", "reason"),
    [
        ("text/csv", "fraud,age\n1,30\n", "First line 'fraud,age' of file 'part' has 'fraud' in place of a number"),
        ("text/csv", "1,2\n0,abc\n", "Failed to load csv data of file 'part': In CSV column #1: "),
        ("text/csv", "1,2\n0,3,4\n", "Expected 2 columns, got 3"),
        ("text/csv", "1\n0\n", "Could not determine delimiter on line '1' of file 'part'"),
        ("text/csv", "1,2\n,3\n", "Got input data without labels: 1 of 2 rows of the train channel"),
        ("text/csv", "1,2\n2,3\n", "label must be in [0,1] for logistic regression; the train channel has 2"),
        ("text/csv", "", "No data in train channel path"),
        ("text/csv; label_size=2", "1,2\n", "label_size must be equal to 1"),
        ("text/libsvm", "1,2,3\n", "Line 1 '1,2,3' of file 'part' is not 'LIBSVM' format"),
        ("text/libsvm", "1 0:1\n0 -1:3\n", "Line 2 '0 -1:3' of file 'part' is not 'LIBSVM' format"),
        ("text/libsvm", "1 qid:1 0:1\n0 0:3\n", "Some rows of the train channel have a qid and some have none"),
        ("text/libsvm", "\n\n", "No data in train channel path"),
        (PARQUET, "1,2\n", "Failed to load parquet data of file 'part'"),
        (PARQUET, as_parquet(rows(9), d="text"), "Column 'd' of file 'part' is"),
        (PARQUET, as_parquet(rows(0)), "there are columns, but no rows"),
        ("application/x-recordio-protobuf", "x", "ContentType application/x-recordio-protobuf is not read"),
        ("image/png", "x", "image/png is not an accepted ContentType: csv, text/csv"),
    ],
)
def test_wrong_data_are_told_by_file_and_place(job: Job, content_type: str, content: str | bytes, reason: str) -> None:
    job.file("train/part", content)
    assert job.run(BINARY, content_type) == 1
    assert reason in job.failure
    assert "\n" not in job.failure


def test_files_with_other_columns_are_told(job: Job) -> None:
    job.file("train/a.csv", "1,2,3\n0,1,2\n")
    job.file("train/b.csv", "1,2\n0,1\n")
    assert job.run(BINARY) == 1
    assert "Files of the train channel differ: 'b.csv' has 2 columns (f0, f1), 'a.csv' has 3" in job.failure


def test_a_validation_channel_with_other_columns_is_told(job: Job) -> None:
    job.file("train/a.csv", "1,2,3\n0,1,2\n")
    job.file("validation/b.csv", "1,2\n0,1\n")
    assert job.run(BINARY) == 1
    assert job.failure == "UserError: The validation channel has 1 feature columns, the train channel has 2"


def test_a_label_out_of_the_classes_is_told(job: Job) -> None:
    job.file("train/a.csv", "1,2,3\n5,1,2\n")
    assert job.run({"num_round": "1", "objective": "multi:softmax", "num_class": "3"}) == 1
    assert "label must be in [0, num_class) with num_class=3; the train channel has 5" in job.failure


def test_a_hidden_file_is_told(job: Job) -> None:
    job.file("train/a.csv", "1,2,3\n0,1,2\n")
    job.file("train/.DS_Store", "x")
    assert job.run(BINARY) == 1
    assert "Hidden file found in the data path! Remove that before training: train/.DS_Store" in job.failure


def test_the_train_channel_must_be_there(job: Job) -> None:
    job.file("validation/a.csv", "1,2,3\n0,1,2\n")
    assert job.run(BINARY) == 1
    assert job.failure == "UserError: Missing required channel: train; the job has validation"


def test_what_xgboost_itself_refuses_is_told_in_one_line(job: Job) -> None:
    job.file("train/a.csv", "-1,2,3\n0,1,2\n")
    assert job.run({"num_round": "1", "objective": "count:poisson"}) == 1
    assert re.fullmatch(r"XGB train call failed with exception: label must be .*", job.failure)


def test_what_nobody_expected_is_a_failure_with_a_reason(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    job.file("train/a.csv", as_csv(rows(20)))
    job.file("model", "")
    (job.tree / "model").write_text("a file where the folder must be")
    assert job.run(BINARY) == 1
    assert (job.tree / "output" / "failure").read_text().startswith("FileExistsError: ")
    assert "Traceback" in caplog.text
