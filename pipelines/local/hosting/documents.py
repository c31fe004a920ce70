"""What is written down of an endpoint, for its process and for those who describe it.

An endpoint's document is what DescribeEndpoint returns, and more: `Wanted`, what its process is to do, which is
`{"EndpointConfigName": name, "DeploymentConfig": config or None}` or `{"Deleted": True}`, and is taken out when it is
done; `Url`, where it answers; `Owner`, whose process it is; and `Configs`, copies of the configs that it serves or is
to serve, which may be deleted meanwhile.
"""

import time
from typing import Any

from pipelines.local.database import Database, Document
from pipelines.local.errors import LocalError
from pipelines.local.ownership import Ownership

KIND = "endpoint"
CONFIG_KIND = "endpoint-config"
ALARM_KIND = "alarm"
WANTED, OWNER, URL, CONFIGS = "Wanted", "Owner", "Url", "Configs"
PRIVATE = (WANTED, OWNER, URL, CONFIGS)


class MissingConfig(LocalError):
    """An endpoint whose config is not there any more."""


def needs_process(document: Document) -> bool:
    """Tell whether there is something to do for an endpoint's process; one that failed can only be deleted."""
    return WANTED in document or document["EndpointStatus"] != "Failed"


def config_of(database: Database, endpoint: Document, name: str) -> Document | None:
    """Return a config that an endpoint serves or is to serve, as it was when that was asked for."""
    copy: Document | None = endpoint.get(CONFIGS, {}).get(name)
    return copy or database.get(CONFIG_KIND, name)


class Record:
    """One endpoint's document, in the hands of the process that owns it."""

    def __init__(self, database: Database, name: str, ownership: Ownership) -> None:
        self.name = name
        self._database = database
        self._ownership = ownership

    def claim(self) -> bool:
        """Make this process the endpoint's; tell whether there is the endpoint, and no other process is its owner."""
        with self._database.transaction():
            document = self._database.get(KIND, self.name)
            if document is None or not needs_process(document):
                return False
            owner = document.get(OWNER)
            if owner and owner != self._ownership.owner and self._ownership.is_alive(owner):
                return False
            self._database.update(KIND, self.name, **{OWNER: self._ownership.owner})
            return True

    def read(self) -> Document | None:
        """Return the document; None when it is gone, or another process owns it."""
        document = self._database.get(KIND, self.name)
        return document if document and document.get(OWNER) == self._ownership.owner else None

    def config(self, name: str) -> Document:
        """Return an endpoint config.

        Raises:
            MissingConfig: it was deleted.
        """
        config = config_of(self._database, self.read() or {}, name)
        if config is None:
            raise MissingConfig(f"Could not find endpoint configuration '{name}'; create it again.")
        return config

    def change(self, done: Document | None = None, **changes: Any) -> None:
        """Change members, and remove those that are None; also what was wanted, if it is still what was done."""
        with self._database.transaction():
            document = self.read()
            if document is None:
                return
            if done is not None and document.get(WANTED) == done:
                del document[WANTED]
            modified = {"LastModifiedTime": time.time()} if "EndpointStatus" in changes else {}
            document |= changes | modified
            kept = {name: value for name, value in document.items() if value is not None}
            self._database.put(KIND, self.name, kept)

    def remove(self) -> None:
        """Remove the document, unless it is another's by now."""
        with self._database.transaction():
            if self.read() is not None:
                self._database.delete(KIND, self.name)
