"""A learner who runs notebooks from top to bottom, in a copy of their folder and without any network."""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from pipelines.local.boto_session import LocalSession
from pipelines.local.session import session
from tests.local.hosted import end_processes, wait_until
from tests.notebooks.files import FOLDER
from tests.notebooks.guard.sitecustomize import OUTGOING_CALLS

GUARD = Path(__file__).with_name("guard")
CELL_SECONDS = 120


class Seen:
    """What a learner sees in a notebook that was run, cell by cell."""

    def __init__(self, notebook: Any) -> None:
        self._cells = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    def text(self, cell: str) -> str:
        """Return what a cell printed, and its value's plain text."""
        texts = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in self._cells[cell])
        return "\n".join(texts)

    def rows(self, cell: str) -> list[list[str]]:
        """Return the rows of the table that a cell shows, without the heads of its columns."""
        html = "".join(output.get("data", {}).get("text/html", "") for output in self._cells[cell])
        lines = re.findall(r"<tr.*?</tr>", html.partition("<tbody>")[2], re.DOTALL)
        return [[unescape(text) for text in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)] for line in lines]

    def pictures(self, cell: str) -> list[str]:
        """Return the pictures that a cell shows: SVG in HTML, and PNG as base64."""
        shown = [output.get("data", {}) for output in self._cells[cell]]
        drawn = [data["text/html"] for data in shown if "<svg" in data.get("text/html", "")]
        return [*drawn, *(data["image/png"] for data in shown if "image/png" in data)]

    @property
    def warnings(self) -> str:
        """What was printed to the standard error."""
        every = (output for outputs in self._cells.values() for output in outputs)
        return "".join(output.text for output in every if output.get("name") == "stderr")


class Learner:
    """A person with a copy of the notebooks in a folder of their own, and the code that they are about."""

    def __init__(self, folder: Path, code: Path) -> None:
        self.home = folder
        self.code = code
        self.folder = folder / "my workshop ü" / "notebooks"
        shutil.copytree(FOLDER, self.folder, ignore=shutil.ignore_patterns("__pycache__", "workshop.json", ".*"))
        self.root = self.folder / ".sagemaker-local"
        self._calls = folder / "outgoing-calls"
        self._account: dict[str, str] = {}

    def run(self, name: str, *, until: str | None = None) -> Seen:
        """Run a notebook from top to bottom, or to a cell, in a kernel of its own that ends with it."""
        notebook: Any = nbformat.read(self.folder / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        if until:
            last = next(number for number, cell in enumerate(notebook.cells) if cell.id == until)
            notebook.cells = notebook.cells[: last + 1]
        # Unix sockets, for two tests may choose the same free port; in a folder of their own, for paths must be short.
        with tempfile.TemporaryDirectory(prefix="kernel") as sockets:
            client = NotebookClient(
                notebook,
                timeout=CELL_SECONDS,
                kernel_name="python3",
                resources={"metadata": {"path": str(self.folder)}},
                config=Config(KernelManager={"transport": "ipc", "connection_file": f"{sockets}/k.json"}),
            )
            client.execute(env=self._environment())
        seen = Seen(notebook)
        assert seen.warnings == ""
        return seen

    def move_to_aws(self, account: dict[str, str], **options: str | None) -> None:
        """Choose AWS, as 0.0 does, with variables of the environment that say where it is."""
        self._account = account
        choice = {"place": "aws", "role": None, "bucket": None, "tracking": None, **options}
        (self.folder / "workshop.json").write_text(json.dumps(choice), encoding="utf-8")
        # What is asked for every 15 seconds in AWS has long ended here.
        with (self.folder / "workshop.py").open("a", encoding="utf-8") as module:
            module.write("\nAWS_INTERVAL = 0.1\n")

    @property
    def outgoing_calls(self) -> list[str]:
        """What tried to leave this machine."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    @contextmanager
    def session(self) -> Iterator[LocalSession]:
        """Open the SageMaker that the notebooks worked on."""
        with session(self.root) as opened:
            yield opened

    def leave(self) -> None:
        """End the endpoints that a notebook left, and wait until all other processes have ended by themselves."""
        if self.root.exists():
            end_processes(self.root)
        wait_until(lambda: self._processes() == [], "the processes of the notebooks to end")

    def _processes(self) -> list[str]:
        """Return the processes that work in the folder, as far as the system tells."""
        return [link.parent.name for link in Path("/proc").glob("[0-9]*/cwd") if self._is_here(link)]

    def _is_here(self, link: Path) -> bool:
        try:
            return link.readlink().is_relative_to(self.home)
        except OSError:  # it has ended, or is another user's
            return False

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV", "PYTEST"))}
        own = {name: str(self.home / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR")}
        return {
            **kept,
            **own,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PYTHONPATH": os.pathsep.join([str(GUARD), str(self.code)]),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
            OUTGOING_CALLS: str(self._calls),
            "https_proxy": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
            "no_proxy": "127.0.0.1,localhost",
            **self._account,
        }
