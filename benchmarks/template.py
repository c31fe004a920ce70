"""What the benchmarks start from: the compiled fraud pipeline, and a root folder whose S3 has its code and data.

`python -m benchmarks.template DIR` makes both, in a process of its own, for the SDK takes seconds and much memory.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.timing import Timing, time_process

BUCKET = "sagemaker-us-east-1-000000000000"
ROLE = "arn:aws:iam::000000000000:role/sagemaker-local"
LOG = "log"
# Below what any model reaches, so that the untuned one is registered.
THRESHOLD = "RocAucThreshold=0.5"

Definition = dict[str, Any]


class Template:
    """A folder with a template root; each timed run gets a copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "template"
        self.definition_file = folder / "fraud.json"

    def make(self) -> None:
        """Compile, and upload code and data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        time_process(["-m", "compileall", "-q", Path(__file__).parent.parent / "pipelines"], self.folder / LOG)
        time_process(["-m", "benchmarks.template", self.folder], self.folder / LOG)

    def definition(self) -> Definition:
        """Return the compiled pipeline."""
        found: Definition = json.loads(self.definition_file.read_text())
        return found

    def data(self) -> Path:
        """Return the folder with the raw data, as uploaded."""
        defaults = {one["Name"]: one.get("DefaultValue") for one in self.definition()["Parameters"]}
        return self.s3(defaults["InputData"])

    def s3(self, uri: str) -> Path:
        """Return where in the template an object or a folder of objects is."""
        return self.root / "s3" / uri.removeprefix("s3://")

    def write(self, name: str, definition: Definition) -> Path:
        """Write another definition beside the pipeline's."""
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(definition))
        return file

    def fresh_root(self, name: str) -> Path:
        """Return a new root, as if code and data had just been uploaded."""
        root = self.folder / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.root, root)
        return root

    def run(self, root: Path, definition: Path, *more: str | Path) -> Timing:
        """Time run-pipeline with a definition."""
        command = ["-m", "pipelines.run_pipeline", "--local", "--local-root", root, "--definition", definition, *more]
        return time_process(command, self.folder / LOG)


def step(definition: Definition, name: str) -> Definition:
    """Return a step of a definition, of a branch too."""
    found: list[Definition] = [one for one in definition["Steps"] if one["Name"] == name]
    for condition in definition["Steps"]:
        arguments = condition["Arguments"]
        branches = [*arguments.get("IfSteps", ()), *arguments.get("ElseSteps", ())]
        found += [one for one in branches if one["Name"] == name]
    return found[0]


def main() -> None:
    """Compile the pipeline with a local session, which uploads what it needs."""
    # Here, for the SDK's sake: see above.
    from pipelines.fraud.pipeline import get_pipeline  # noqa: PLC0415
    from pipelines.local.session import session  # noqa: PLC0415

    template = Template(Path(sys.argv[1]))
    local = session(template.root, region="us-east-1")
    template.definition_file.write_text(get_pipeline(boto_session=local, role=ROLE).definition())
    local.close()
    # Whoever starts from this is the first to run anything.
    for file in template.root.glob("state.sqlite*"):
        file.unlink()


if __name__ == "__main__":
    main()
