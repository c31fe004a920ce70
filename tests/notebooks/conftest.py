"""Each test has a learner of its own: a fresh copy of the notebooks, and a fresh root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebooks.learner import Learner


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    """A learner, of whom no process is left and who called nobody outside of this machine."""
    made = Learner(tmp_path)
    yield made
    made.leave()
    assert made.outgoing_calls == []
