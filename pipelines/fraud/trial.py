"""A schema tried on its data before it is anybody's: by Preprocess itself, as a job would run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.fraud import settings


class TrialError(ValueError):
    """Data that Preprocess refuses under a schema, in its one line."""


def try_out(schema: str, folder: Path) -> tuple[str, ...]:
    """Return what Preprocess remarks on a folder of data under the text of a schema, a line each; what it writes goes.

    Raises TrialError where it refuses them.
    """
    with TemporaryDirectory() as name:
        scratch = Path(name)
        code, message = scratch / "code", scratch / "told" / "message"
        code.mkdir()
        for file in settings.PREPROCESS.files:
            shutil.copy(settings.SCRIPTS / file, code)
        (code / "schema.json").write_text(schema, encoding="utf-8")
        arguments = ["--input-dir", str(folder), "--output-dir", str(scratch / "output")]
        done = subprocess.run(
            [sys.executable, str(code / settings.PREPROCESS.program), *arguments, *_options(message)],
            env={**os.environ, "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise TrialError(message.read_text(encoding="utf-8") if message.exists() else _last_words(done))
    # The last line has the numbers of rows.
    return tuple(done.stdout.splitlines()[:-1])


def _options(message: Path) -> list[str]:
    return ["--seed", str(settings.SEED), "--message-file", str(message)]


def _last_words(done: "subprocess.CompletedProcess[str]") -> str:
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return f"{settings.PREPROCESS.program} cannot read the data: {said[-1]}"
