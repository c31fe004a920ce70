"""A request to stop, which many threads can wait for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop:
    """A request to stop that is made at most once and is never taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Ask to stop: every registered callback is called once, in this thread."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        """Tell whether stopping was asked for."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until stopping is asked for, or for some seconds; tell which."""
        return self._event.wait(timeout)

    @contextmanager
    def on_set(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call back when stopping is asked for, at once if it was already, until the context is left."""
        with self._lock:
            already = self._event.is_set()
            self._callbacks.append(callback)
        if already:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
