"""A model's container on this machine: it answers HTTP requests on a unix socket."""

import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pipelines.local.containers import opt_ml
from pipelines.local.containers.archives import unpack
from pipelines.local.containers.container import Container, Exit
from pipelines.local.containers.files import remove_tree
from pipelines.local.containers.host import Host
from pipelines.local.containers.images import library_of, runtime_of
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.program import fetch_code, ready_code
from pipelines.local.containers.stop import Stop
from pipelines.local.errors import LocalError
from pipelines.local.serving.models import HostedModel
from pipelines.local.serving.sockets import SocketFolder, answers
from pipelines.local.store import Store
from pipelines.local.store.keys import parse_uri

SERVE = Path(opt_ml.__file__).with_name("serving.py")
SERVING_MODULES = {
    "xgboost": "sagemaker_xgboost_container.serving:main",
    "sklearn": "sagemaker_sklearn_container.serving:main",
}
NOTHING: Mapping[str, str] = MappingProxyType({})
LOOK_SECONDS = 0.01
LAST_LINE_BYTES = 1 << 14


class ServingError(LocalError):
    """A model that cannot be served; the message is one line with the reason."""


class ModelServer:
    """Serves one model: GET /ping, POST /invocations and GET /execution-parameters, by several workers.

    It is started and stopped once; it can be stopped while it starts. `folder` is its own while it runs, `log` gets
    all that it prints. `environment` wins over the model's own variables; SAGEMAKER_MODEL_SERVER_WORKERS is how many
    workers there are. Those that die are replaced by the container itself; `is_alive` tells whether that still runs.
    `socket` is where it listens.
    """

    def __init__(
        self,
        store: Store,
        host: Host,
        model: HostedModel,
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] = NOTHING,
    ) -> None:
        self._store = store
        self._host = host
        self._model = model
        self._folder = folder
        self._log = log
        given = {**model.environment, **environment}
        self._environment = {name: value for name, value in given.items() if value}
        self._sockets = SocketFolder()
        self.socket = self._sockets.socket
        self._stop = Stop()
        self._thread: threading.Thread | None = None
        self._exit: Exit | str | None = None
        self._ended = threading.Event()
        # Nothing is removed while it is laid out.
        self._folders = threading.Lock()

    def start(self, limit: float = 60.0) -> None:
        """Start the container, and wait until it answers /ping, for so many seconds at most.

        Raises:
            ServingError: it does not; nothing is left of it but its log.
        """
        try:
            with serving_errors(self._model.name):
                with self._folders:
                    container = self._lay_out()
                    self._sockets.make()
                    logged = self._log.stat().st_size if self._log.exists() else 0
                    run = partial(self._run, container)
                    self._thread = threading.Thread(target=run, name="model-server", daemon=True)
                    self._thread.start()
                self._wait(limit, logged)
        except BaseException:
            self.stop()
            raise

    def _lay_out(self) -> Container:
        """Unpack the model and its program, and return the container."""
        remove_tree(self._folder)
        tree = Tree(self._folder / "ml")
        tree.make(opt_ml.MODEL, opt_ml.CODE)
        if self._model.data:
            self._fetch_model(tree, self._model.data)
        program = self._environment.get("SAGEMAKER_PROGRAM")
        if program:
            module = self._environment.get("SAGEMAKER_SUBMIT_DIRECTORY", opt_ml.CODE)
            fetch_code(self._store, tree, module)
            ready_code(tree, program, module)
        own = {
            "SM_MODEL_DIR": opt_ml.MODEL,
            "SM_MODULE_DIR": opt_ml.CODE,
            "SAGEMAKER_SERVING_MODULE": SERVING_MODULES[runtime_of(self._model.image)],
        }
        return Container(
            ("python3", str(SERVE), str(self.socket)),
            tree.folder,
            self._log,
            {**own, **self._environment},
            library=library_of(self._model.image),
        )

    def _fetch_model(self, tree: Tree, uri: str) -> None:
        archive = self._folder / "model.tar.gz"
        with self._store.open(*parse_uri(uri)) as source, archive.open("wb") as target:
            shutil.copyfileobj(source, target)
        unpack(archive, tree.path(opt_ml.MODEL), uri)
        archive.unlink()

    def _run(self, container: Container) -> None:
        try:
            self._exit = self._host.run(container, self._stop)
        except OSError as error:
            self._exit = f"this machine cannot start it: {error}"
        finally:
            self._ended.set()

    def _wait(self, limit: float, logged: int) -> None:
        """Return when the container answers; raise the reason when it ends before, or takes too long."""
        deadline = time.monotonic() + limit
        while (left := deadline - time.monotonic()) > 0:
            if answers(self.socket, left):
                return
            if self._ended.wait(LOOK_SECONDS):
                raise ServingError(f"{self._how_it_ended()}{said(self._log, logged)}")
        raise ServingError(f"it did not answer /ping within {limit:g} s{said(self._log, logged)}")

    def _how_it_ended(self) -> str:
        match self._exit:
            case Exit(code=code, ended="exited", hint=hint):
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
                return f"its container {how} before it answered /ping" + (f" ({hint})" if hint else "")
            case str(reason):
                return reason
        return "it was stopped before it answered /ping"

    def is_alive(self) -> bool:
        """Tell whether the container runs."""
        return self._thread is not None and not self._ended.is_set()

    def stop(self) -> None:
        """Let the requests in flight finish, for as long as the host's grace, and end the container."""
        self._stop.set()
        with self._folders:
            if self._thread:
                self._thread.join()
            remove_tree(self._folder)
            self._sockets.remove()


@contextmanager
def serving_errors(name: str) -> Iterator[None]:
    """Raise whatever fails as a ServingError of one line about a model."""
    try:
        yield
    except (LocalError, OSError) as error:
        raise ServingError(f"Model '{name}' cannot be served: {' '.join(str(error).split())}") from error


def said(log: Path, logged: int) -> str:
    """Return the last line that was added to a log since it had so many bytes, as the end of a sentence."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(logged, log.stat().st_size - LAST_LINE_BYTES))
        lines = [line.strip() for line in stream.read().decode("utf-8", errors="replace").splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
