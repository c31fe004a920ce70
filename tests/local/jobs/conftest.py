from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore.model import ServiceModel

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from pipelines.local.database import Database
from pipelines.local.jobs.machine import Machine
from pipelines.local.store import Store


@pytest.fixture(scope="session")
def model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("sagemaker")


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    made = {"namespaces": Host(grace=0.3), "no namespaces": Host(isolate=False, grace=0.3)}
    yield made
    for host in made.values():
        host.close()


@pytest.fixture(params=["namespaces"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, hosts: dict[str, Host], model: ServiceModel
) -> Iterator[Machine]:
    """A machine in a fresh folder; tests may ask for one without namespaces, by the parameter `machine`."""
    root = tmp_path / "root"
    database = Database(root / "state.db")
    yield Machine(root, Store(root / "s3"), database, hosts[request.param], model, "us-east-1", "000000000000")
    database.close()


@pytest.fixture
def stop() -> Stop:
    return Stop()
