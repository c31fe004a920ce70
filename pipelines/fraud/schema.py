"""The schema of the data, read and checked before anything is uploaded."""

import importlib
from typing import Any

from pipelines.fraud.settings import SCRIPTS

# By its name here; in a container, and for who checks types, the scripts are modules of their own.
_columns = importlib.import_module("pipelines.fraud.steps.columns")
SCHEMA_FILE = SCRIPTS / "schema.json"


def read_schema() -> dict[str, Any]:
    """Return the schema that Preprocess will read; ValueError says in one line what is wrong with it."""
    document: dict[str, Any] = _columns.read_document(SCHEMA_FILE)
    _columns.make_schema(document, SCHEMA_FILE.name)
    return document
