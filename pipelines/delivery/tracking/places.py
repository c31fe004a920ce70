"""Where experiments are recorded: a store of MLflow's, and where the files of the runs in it are."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "mlflow.db"
ARTIFACTS = "mlflow-artifacts"


@dataclass(frozen=True)
class Tracking:
    """An MLflow tracking URI; artifacts is the URI that runs' files go below, none where the server chooses it."""

    uri: str
    artifacts: str | None = None


def local_tracking(root: Path) -> Tracking:
    """Return the store in the root folder of a local SageMaker."""
    folder = root.absolute()
    # As a file URI: what would end the path in a plain one, such as ?, is written with a percent sign in it.
    return Tracking(f"sqlite:///file:{quote(str(folder / DATABASE))}?uri=true", (folder / ARTIFACTS).as_uri())
