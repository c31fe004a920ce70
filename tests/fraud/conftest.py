"""The pipeline, compiled once for all tests that only read it."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws

from pipelines.fraud import dataset, schema, settings
from tests.fraud.compiling import Account, Compiled, Json, flat

# The tests are about the sample data, whatever data a team's own copy is for.
schema.SCHEMA_FILE = dataset.SCHEMA_FILE
settings.INPUT_DATA = None


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


@pytest.fixture(scope="session")
def compiled() -> Compiled:
    with mock_aws():
        account = Account()
        pipeline = account.pipeline()
        text, again, calls = pipeline.definition(), pipeline.definition(), account.calls[:]
        objects = account.objects()
        account.calls.clear()
        return Compiled(text, again, objects, calls, account.compile(), account.calls)


@pytest.fixture(scope="session")
def definition(compiled: Compiled) -> Json:
    return json.loads(compiled.text)


@pytest.fixture(scope="session")
def steps(definition: Json) -> dict[str, Json]:
    return flat(definition)
