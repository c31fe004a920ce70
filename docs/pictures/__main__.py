"""python -m docs.pictures: draw the pictures again, from the default pipeline and a run of it on this machine."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.pictures.film import draw_film
from docs.pictures.graph import draw_graph
from docs.pictures.terminal import REPOSITORY, record

FOLDER = Path(__file__).parent
PYTHON = [sys.executable, "-c"]
# As `make run` calls it.
RUN = "import sys; from pipelines.run_pipeline import main; sys.argv[0] = '.venv/bin/run-pipeline'; sys.exit(main())"
PRINT = "import sys; from pipelines.get_pipeline_definition import main; sys.exit(main())"
DEFINITION = "definition.json"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def main() -> int:
    """Write every picture and return the exit code."""
    with TemporaryDirectory() as folder:
        run = record([*PYTHON, RUN, "--local"], Path(folder))
        subprocess.run([*PYTHON, PRINT, "--local", "--file-name", DEFINITION], cwd=folder, env=ENVIRONMENT, check=True)
        definition = Path(folder, DEFINITION).read_text(encoding="utf-8")
    (FOLDER / "pipeline.svg").write_text(draw_graph(definition), encoding="utf-8")
    (FOLDER / "run.svg").write_text(draw_film("make run", run), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
