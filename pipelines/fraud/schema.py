"""The schema of the data, read and checked before anything is uploaded."""

import importlib
from pathlib import Path
from typing import Any

from pipelines.delivery.errors import DeliveryError
from pipelines.fraud.settings import SCRIPTS

# By its name here; in a container, and for who checks types, the scripts are modules of their own.
_columns = importlib.import_module("pipelines.fraud.steps.columns")
SCHEMA_FILE = SCRIPTS / "schema.json"


class SchemaError(DeliveryError):
    """A schema that cannot be used as it is."""


def read_schema(file: Path | None = None) -> dict[str, Any]:
    """Return the schema that Preprocess will read, or another one; SchemaError says in one line what is wrong."""
    file = file or SCHEMA_FILE
    try:
        document: dict[str, Any] = _columns.read_document(file)
        _columns.make_schema(document, file.name)
    except OSError as error:
        raise SchemaError(
            f"{file}: {error.strerror}; take the file from the repository again, or draft one: docs/data.md"
        ) from error
    except _columns.DataError as error:
        raise SchemaError(f"{error}; correct {file}, or draft another: docs/data.md") from error
    return document
