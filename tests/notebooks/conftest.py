"""Each test has a learner of its own: a fresh copy of the notebooks, code for the sample data, and a fresh root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.server import Server
from pipelines.local.session import session
from tests.notebooks.learner import Learner


@pytest.fixture
def learner(tmp_path: Path, sample_code: Path) -> Iterator[Learner]:
    """A learner, of whom no process is left and who called nobody outside of this machine."""
    made = Learner(tmp_path, sample_code)
    yield made
    made.leave()
    assert made.outgoing_calls == []


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A SageMaker on a port, as AWS is on a network, with the team's bucket; yields what its clients need to know."""
    with session(tmp_path / "aws") as there:
        there.client("s3").create_bucket(Bucket="team-bucket")
        server = Server(there.services.answers)
        yield {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        server.close()
