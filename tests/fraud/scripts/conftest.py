"""One sample data set, preprocessed and trained once, and small tables to spoil."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import inference
import preprocess
import train
from columns import load_schema
from pipelines.fraud.dataset import SCHEMA_FILE, write

Spoil = Callable[[str, Callable[[list[str]], list[str]]], Path]


# The sample data have a schema of their own, whatever data the pipeline is for.
preprocess.SCHEMA_FILE = SCHEMA_FILE


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    preprocess.preprocess(raw, folder, seed=42)
    return folder


@pytest.fixture(scope="session")
def model_dir(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    schema_file = prepared / "schema" / "schema.json"
    booster = train.train(
        prepared / "train",
        prepared / "validation",
        load_schema(schema_file),
        {"num_round": 20, "max_depth": 3, "eta": 0.2},
    )
    train.save(booster, schema_file, folder)
    return folder


@pytest.fixture(scope="session")
def model(model_dir: Path) -> inference.Model:
    return inference.model_fn(model_dir)


@pytest.fixture(scope="session")
def archive_dir(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(model_dir, ".")
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write(folder, rows=400)
    return folder


@pytest.fixture
def spoil(small: Path, tmp_path: Path) -> Spoil:
    """Copies the small tables with the lines of one file changed."""

    def change(name: str, edit: Callable[[list[str]], list[str]]) -> Path:
        folder = tmp_path / "input"
        shutil.copytree(small, folder, dirs_exist_ok=True)
        file = folder / f"{name}.csv"
        lines = edit(file.read_text(encoding="utf-8").splitlines())
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return change
