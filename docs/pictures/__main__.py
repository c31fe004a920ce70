"""python -m docs.pictures: draw the pictures again, from the default pipeline, run and deployed on this machine."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.pictures.film import draw_film
from docs.pictures.graph import draw_graph
from docs.pictures.terminal import REPOSITORY, Recording, record

FOLDER = Path(__file__).parent
DEFINITION = "definition.json"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def command(name: str, *arguments: str) -> list[str]:
    """Return a command on this machine, as `make run` calls it."""
    module = name.replace("-", "_")
    program = f"import sys; from pipelines.{module} import main; sys.argv[0] = '.venv/bin/{name}'; sys.exit(main())"
    return [sys.executable, "-c", program, *arguments, "--local"]


def call(folder: str, name: str, *arguments: str) -> None:
    """Run a command that is in no picture."""
    subprocess.run(command(name, *arguments), cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


def record_update(folder: str) -> Recording:
    """Record how a second version takes the place of the first one in production, where a run was made."""
    call(folder, "run-pipeline", "--parameter", "RocAucThreshold=0.75")
    for version in ("1", "2"):
        call(folder, "approve-model", version, "--approve")
    arguments = ("--stage", "production")
    call(folder, "deploy-model", *arguments, "--model-package", "2")
    try:
        return record(command("deploy-model", *arguments, "--model-package", "1"), Path(folder))
    finally:
        call(folder, "deploy-model", *arguments, "--teardown")


def main() -> int:
    """Write every picture and return the exit code."""
    with TemporaryDirectory() as folder:
        run = record(command("run-pipeline"), Path(folder))
        call(folder, "get-pipeline-definition", "--file-name", DEFINITION)
        update = record_update(folder)
        definition = Path(folder, DEFINITION).read_text(encoding="utf-8")
    (FOLDER / "pipeline.svg").write_text(draw_graph(definition), encoding="utf-8")
    (FOLDER / "run.svg").write_text(draw_film("make run", run), encoding="utf-8")
    typed = "deploy-model --stage production --model-package 1 --local"
    (FOLDER / "deploy.svg").write_text(draw_film(typed, update), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
