"""An account for each test."""

from collections.abc import Iterator

import pytest

from tests.adoption.aws import MotoAws, moto_aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto_aws(monkeypatch) as account:
        yield account
