"""The fraud pipeline's three scripts as bare processes in plain folders: what a pipeline is measured against."""

import json
import tarfile
from pathlib import Path

from benchmarks.template import LOG, Definition, Template, step
from benchmarks.timing import Timing, time_process

SCRIPTS = Path(__file__).parent.parent / "pipelines" / "fraud" / "steps"
PROCESSING = "/opt/ml/processing"


class Bare:
    """The scripts, with the arguments that the definition gives them, one after the other in a folder."""

    def __init__(self, template: Template, folder: Path) -> None:
        self.folder = folder
        self._definition = template.definition()
        self._folders = {
            f"{PROCESSING}/input/data": template.data(),
            f"{PROCESSING}/output": folder,
            f"{PROCESSING}/input/model": folder / "model",
            f"{PROCESSING}/input/test": folder / "test",
            f"{PROCESSING}/output/evaluation": folder / "evaluation",
        }

    def run(self) -> Timing:
        """Time all three; packing the model, which the service does between them, is not counted."""
        timing = self.preprocess() + self.train()
        pack(self.folder / "model")
        return timing + self.evaluate()

    def preprocess(self) -> Timing:
        """Time preprocess.py."""
        return self._process("Preprocess", "preprocess.py")

    def train(self) -> Timing:
        """Time train.py."""
        channels = {f"SM_CHANNEL_{name.upper()}": str(self.folder / name) for name in ("train", "validation", "schema")}
        environment = {**channels, "SM_MODEL_DIR": str(self.folder / "model"), "SM_OUTPUT_DIR": str(self.folder)}
        return self._time("train.py", hyperparameters(self._definition), environment)

    def evaluate(self) -> Timing:
        """Time evaluate.py."""
        return self._process("Evaluate", "evaluate.py")

    def _process(self, name: str, script: str) -> Timing:
        given: list[str] = step(self._definition, name)["Arguments"]["AppSpecification"]["ContainerArguments"]
        return self._time(script, [str(self._folders.get(argument, argument)) for argument in given])

    def _time(self, script: str, arguments: list[str], environment: dict[str, str] | None = None) -> Timing:
        self.folder.mkdir(parents=True, exist_ok=True)
        return time_process([SCRIPTS / script, *arguments], self.folder / LOG, environment=environment)


def hyperparameters(definition: Definition) -> list[str]:
    """Return the training step's hyperparameters as the arguments that its script gets."""
    given: dict[str, str] = step(definition, "Train")["Arguments"]["HyperParameters"]
    own = {name: value for name, value in given.items() if not name.startswith("sagemaker_")}
    return [word for name, value in own.items() for word in (f"--{name}", str(json.loads(value)))]


def pack(model: Path) -> None:
    """Make the model.tar.gz that a training job would leave."""
    with tarfile.open(model / "model.tar.gz", "w:gz") as archive:
        for path in sorted(model.iterdir()):
            if path.name != "model.tar.gz":
                archive.add(path, path.name)
