"""Evaluate: the Model Quality report, the gate, and archives that are not what they should be."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as sklearn_metrics

import evaluate
from columns import DataError


@pytest.fixture(scope="session")
def scored(archive_dir: Path, prepared: Path) -> tuple[evaluate.Labels, evaluate.Scores]:
    return evaluate.predict(evaluate.load_model(archive_dir), prepared / "test")


def arguments(archive_dir: Path, prepared: Path, folder: Path, *more: str) -> list[str]:
    (folder / "ml").mkdir()
    options = {
        "--model-dir": archive_dir,
        "--test-dir": prepared / "test",
        "--output-dir": folder / "out",
        "--message-file": folder / "ml" / "output" / "message",
    }
    return [*(str(text) for pair in options.items() for text in pair), *more]


def test_the_report_is_in_sagemakers_model_quality_schema(archive_dir: Path, prepared: Path, tmp_path: Path) -> None:
    assert evaluate.main(arguments(archive_dir, prepared, tmp_path)) == 0
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    values = document["binary_classification_metrics"]
    rates = {f"{truth}_{sign}_rate" for truth in ("true", "false") for sign in ("positive", "negative")}
    scalars = {"recall", "precision", "accuracy", "auc", "f0_5", "f1", "f2", *rates}
    curves = {"receiver_operating_characteristic_curve", "precision_recall_curve"}
    assert set(values) == {"confusion_matrix", *scalars, *curves}
    assert all(set(values[name]) == {"value", "standard_deviation"} for name in scalars)
    assert sum(count for row in values["confusion_matrix"].values() for count in row.values()) == 1_000
    assert not list((tmp_path / "out").glob("*.partial"))


def test_the_metrics_are_scikit_learns(scored: tuple[evaluate.Labels, evaluate.Scores]) -> None:
    labels, scores = scored
    predicted = scores >= 0.5
    values = evaluate.report(labels, scores)["binary_classification_metrics"]
    expected = {
        "auc": sklearn_metrics.roc_auc_score(labels, scores),
        "recall": sklearn_metrics.recall_score(labels, predicted),
        "precision": sklearn_metrics.precision_score(labels, predicted),
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "f0_5": sklearn_metrics.fbeta_score(labels, predicted, beta=0.5),
        "f1": sklearn_metrics.f1_score(labels, predicted),
        "f2": sklearn_metrics.fbeta_score(labels, predicted, beta=2),
    }
    assert {name: values[name]["value"] for name in expected} == pytest.approx(expected)
    matrix = values["confusion_matrix"]
    assert [[matrix[t][p] for p in "01"] for t in "01"] == sklearn_metrics.confusion_matrix(labels, predicted).tolist()


def test_the_aucs_deviation_is_that_of_repeated_samples() -> None:
    generator = np.random.default_rng(1)

    def sample() -> tuple[evaluate.Labels, evaluate.Scores]:
        labels = np.arange(400) < 60
        return labels, (generator.normal(size=400) + 1.2 * labels).astype(np.float32)

    samples = [sample() for _ in range(400)]
    spread = np.std([sklearn_metrics.roc_auc_score(*one) for one in samples])
    assert np.mean([evaluate.auc_deviation(*one) for one in samples]) == pytest.approx(spread, rel=0.1)


def test_curves_are_bounded_monotone_and_run_from_corner_to_corner(
    scored: tuple[evaluate.Labels, evaluate.Scores],
) -> None:
    curves = evaluate.curves(*scored)
    roc, precision_recall = curves.values()
    for values in (*roc.values(), precision_recall["recalls"]):
        assert len(values) <= evaluate.CURVE_POINTS + 1
        assert values[0] == 0.0
        assert values[-1] == 1.0
        assert values == sorted(values)
    area = np.trapezoid(roc["true_positive_rates"], roc["false_positive_rates"])
    assert area == pytest.approx(sklearn_metrics.roc_auc_score(*scored), abs=0.01)


def test_no_predicted_positive_gives_zero_precision() -> None:
    labels = np.array([True, False, False, True])
    values = evaluate.report(labels, np.full(4, 0.1, np.float32))["binary_classification_metrics"]
    assert [values[name]["value"] for name in ("precision", "recall", "f1", "auc")] == [0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("threshold", ["0.99", "exact"])
def test_a_model_not_above_the_threshold_is_rejected_after_its_report_is_written(
    threshold: str,
    scored: tuple[evaluate.Labels, evaluate.Scores],
    archive_dir: Path,
    prepared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    auc = evaluate.report(*scored)["binary_classification_metrics"]["auc"]["value"]
    if threshold == "exact":
        threshold = repr(auc)
    assert evaluate.main(arguments(archive_dir, prepared, tmp_path, "--threshold", threshold)) == 1
    message = (tmp_path / "ml" / "output" / "message").read_text()
    assert message.startswith(f"GateRejected: tuned model's ROC AUC {auc:.4f} is not above the threshold 0.")
    assert capsys.readouterr().err == f"{message}\n"
    assert (tmp_path / "out" / "evaluation.json").is_file()


def test_a_model_above_the_threshold_passes(archive_dir: Path, prepared: Path, tmp_path: Path) -> None:
    assert evaluate.main(arguments(archive_dir, prepared, tmp_path, "--threshold", "0.6")) == 0
    assert not (tmp_path / "ml" / "output").exists()


def archive(folder: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        for member in members:
            member.size = 4 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"evil"))
    return folder


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


ESCAPES = [
    tarfile.TarInfo("../evil"),
    tarfile.TarInfo("code/../../evil"),
    tarfile.TarInfo("/tmp/evil"),
    link("code", "/etc"),
    link("hard", "../evil", tarfile.LNKTYPE),
    link("device", "", tarfile.CHRTYPE),
]


@pytest.mark.parametrize("member", ESCAPES, ids=lambda member: member.name)
def test_an_archive_that_leaves_its_folder_is_refused_before_anything_is_written(
    member: tarfile.TarInfo, prepared: Path, tmp_path: Path
) -> None:
    archive(tmp_path, tarfile.TarInfo("harmless"), member)
    (tmp_path / "inside").mkdir()
    with pytest.raises(
        DataError, match=r"^model\.tar\.gz: member '.*' is refused; allowed: files and folders inside it$"
    ):
        evaluate.extract(tmp_path / "model.tar.gz", tmp_path / "inside")
    assert list((tmp_path / "inside").iterdir()) == []
    with pytest.raises(DataError):
        evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_without_a_model_is_refused(prepared: Path, tmp_path: Path) -> None:
    archive(tmp_path, tarfile.TarInfo("readme"))
    with pytest.raises(DataError, match=r"the model has no file 'xgboost-model'; give a model\.tar\.gz"):
        evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_archive_and_one_that_is_no_tar_are_named(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.tar\.gz: no such file; give the training job's model\.tar\.gz"):
        evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "out")
    (tmp_path / "model.tar.gz").write_bytes(b"not a tar")
    with pytest.raises(DataError, match=r"model\.tar\.gz: not a whole tar archive \(.*\); give"):
        evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_that_was_cut_off_is_named(archive_dir: Path, prepared: Path, tmp_path: Path) -> None:
    whole = (archive_dir / "model.tar.gz").read_bytes()
    (tmp_path / "model.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"model\.tar\.gz: not a whole tar archive"):
        evaluate.evaluate(tmp_path, prepared / "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_test_set_is_named(archive_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \*\.parquet; give the Preprocess step's output `test`"):
        evaluate.evaluate(archive_dir, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_test_set_of_one_class_is_named(archive_dir: Path, prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared / "test", tmp_path / "test")
    table = pq.read_table(tmp_path / "test" / "test.parquet")
    pq.write_table(table.filter(pa.array(table["fraud"].to_numpy() == 0)), tmp_path / "test" / "test.parquet")
    with pytest.raises(DataError, match="every label is 0; ROC AUC needs both 0 and 1"):
        evaluate.evaluate(archive_dir, tmp_path / "test", tmp_path / "out")
    assert not (tmp_path / "out").exists()
