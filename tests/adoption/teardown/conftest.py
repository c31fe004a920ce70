"""An account with a bucket, where packages can be deleted."""

from collections.abc import Iterator

import pytest

from tests.adoption.aws import MotoAws
from tests.adoption.teardown.projects import Project, Session, add_versioned_bucket, deletions_of_packages


@pytest.fixture
def project(aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project `fraud-detection`, all of it, beside neighbours' whose names are like its own."""
    with deletions_of_packages(monkeypatch):
        session = Session()
        add_versioned_bucket(session)
        yield Project(aws, session, "fraud-detection")
