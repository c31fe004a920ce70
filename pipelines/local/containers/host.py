"""The machine's side of the containers: starts them, ends them, and tells how they ended."""

from pipelines.local.containers.container import Container, Exit
from pipelines.local.containers.stop import Stop


class Host:
    """Runs containers as processes of this machine, many at once, through one warm server process.

    `isolate=False` does without mount namespaces, as on machines that have none.
    """

    def __init__(self, *, isolate: bool = True) -> None:
        self._isolate = isolate

    def start(self) -> None:
        """Start the server process, if it is not running, and return at once; it imports in the background."""
        raise NotImplementedError

    def run(self, container: Container, stop: Stop) -> Exit:
        """Run a container to its end; many threads may do so at once."""
        raise NotImplementedError

    def close(self) -> None:
        """End the server and every container that still runs."""
        raise NotImplementedError
