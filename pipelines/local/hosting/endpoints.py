"""Endpoints: created, updated, described and deleted here, served by a process of their own."""

from pipelines.local.database import Document
from pipelines.local.hosting.configs import EndpointConfigs
from pipelines.local.jobs.machine import Machine
from pipelines.local.ownership import Ownership

KIND = "endpoint"


class Endpoints:
    """The endpoints of this machine; what they shall become is written down, their processes carry it out."""

    def __init__(self, machine: Machine, ownership: Ownership) -> None:
        self._machine = machine
        self._ownership = ownership
        self._configs = EndpointConfigs(machine)

    def create(self, request: Document) -> Document:
        """Create an endpoint, and start its process; `request` is that of CreateEndpoint."""
        raise NotImplementedError

    def update(self, request: Document) -> Document:
        """Let an endpoint serve another configuration; `request` is that of UpdateEndpoint."""
        raise NotImplementedError

    def describe(self, name: str) -> Document:
        """Describe an endpoint; a process that has died is started anew."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Delete an endpoint, and end its process."""
        raise NotImplementedError

    def running_url(self, name: str) -> str:
        """Return the address of an endpoint that serves; a process that has died is started anew, and waited for."""
        raise NotImplementedError
