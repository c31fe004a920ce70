"""A fleet: the model servers of one endpoint config, one for each production variant."""

import threading
import time

from pipelines.local.database import Document
from pipelines.local.hosting.variant import Serve, Variant

LOOK_AGAIN_SECONDS = 0.02


class Fleet:
    """The variants of an endpoint config; `in_flight` counts the requests that may still come to one of them."""

    def __init__(self, config: Document, serve: Serve) -> None:
        self.config_name: str = config["EndpointConfigName"]
        self.variants = tuple(Variant(variant, serve) for variant in config["ProductionVariants"])
        self.in_flight = 0

    @property
    def is_ready(self) -> bool:
        """Whether every variant has a server that answers."""
        return all(variant.socket for variant in self.variants)

    @property
    def failed(self) -> Variant | None:
        """The first variant whose server could not start."""
        return next((variant for variant in self.variants if variant.failure), None)

    @property
    def lasting_failure(self) -> str | None:
        """Why the server of a variant cannot be started, again and again."""
        return next((variant.lasting_failure for variant in self.variants if variant.lasting_failure), None)

    @property
    def instances(self) -> int:
        """How many instances the config asks for; on this machine each variant has one server of several workers."""
        return sum(variant.instances for variant in self.variants)

    def keep(self) -> None:
        """Start the servers that are not there: at first, and when one has died."""
        for variant in self.variants:
            variant.keep()

    def retire(self, patience: float) -> threading.Thread:
        """Stop the servers, in a thread, when nobody waits for an answer any more, or after some seconds."""
        thread = threading.Thread(target=self._retire, args=(patience,), name=f"end of {self.config_name}", daemon=True)
        thread.start()
        return thread

    def _retire(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.in_flight and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
        for variant in self.variants:
            variant.stop()
