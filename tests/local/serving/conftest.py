from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.containers.host import Host
from pipelines.local.store import Store
from tests.local.containers.conftest import isolating_host, plain_host
from tests.local.serving.served import BUCKET, Serve

__all__ = ["isolating_host", "plain_host"]


@pytest.fixture(scope="session")
def warm_host() -> Iterator[Host]:
    """A host as endpoints have: with mount namespaces where there are any, and time to end in peace."""
    host = Host(grace=20.0)
    yield host
    host.close()


@pytest.fixture(scope="module")
def serve_once(tmp_path_factory: pytest.TempPathFactory, warm_host: Host) -> Iterator[Serve]:
    """Starts servers that a module's tests share."""
    folder = tmp_path_factory.mktemp("shared")
    store = Store(folder / "root" / "s3")
    store.create_bucket(BUCKET)
    serve = Serve(folder, store, warm_host)
    yield serve
    serve.stop_all()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "root" / "s3")
    store.create_bucket(BUCKET)
    return store


@pytest.fixture
def serve(tmp_path: Path, store: Store, warm_host: Host) -> Iterator[Serve]:
    """Starts servers of models made of files; all of them are stopped in the end."""
    serve = Serve(tmp_path, store, warm_host)
    yield serve
    serve.stop_all()
