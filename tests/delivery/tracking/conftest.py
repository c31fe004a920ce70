"""Real stores of MLflow's, in SQLite."""

import shutil
import socket
from pathlib import Path

import pytest

from pipelines.delivery.tracking.opening import open_store
from pipelines.delivery.tracking.places import DATABASE, Tracking, local_tracking
from tests.delivery.tracking.experiments import Experiments

# Letters that end a path in a URI, that begin an escape in one, and that ASCII has not.
ODD_NAME = "my root #1? 100%41 ü한"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which it takes seconds to make."""
    root = tmp_path_factory.mktemp(ODD_NAME)
    open_store(local_tracking(root))
    return root / DATABASE


@pytest.fixture
def tracking(tmp_path: Path, empty_database: Path) -> Tracking:
    """A store without experiments, in a folder with an odd name."""
    root = tmp_path / ODD_NAME
    root.mkdir()
    shutil.copy(empty_database, root / DATABASE)
    return local_tracking(root)


@pytest.fixture
def experiments(tracking: Tracking) -> Experiments:
    """What is in that store, as anybody reads it."""
    return Experiments(tracking)


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
