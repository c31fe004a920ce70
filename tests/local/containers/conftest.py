from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import script


@pytest.fixture(scope="session")
def isolating_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with mount namespaces; what needs them is skipped where there are none."""
    host = Host(grace=0.3)
    probe = script(tmp_path_factory.mktemp("probe"), "open('/opt/ml/code/job.py')")
    if host.run(probe, Stop()).code:
        host.close()
        pytest.skip("this machine has no mount namespaces")
    yield host
    host.close()


@pytest.fixture(scope="session")
def plain_host() -> Iterator[Host]:
    """A host without mount namespaces, as on other systems."""
    host = Host(isolate=False, grace=0.3)
    yield host
    host.close()


@pytest.fixture(params=["namespaces", "no namespaces"])
def host(request: pytest.FixtureRequest) -> Host:
    """Both kinds of host, one after the other."""
    name = "isolating_host" if request.param == "namespaces" else "plain_host"
    chosen = request.getfixturevalue(name)
    assert isinstance(chosen, Host)
    return chosen


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
