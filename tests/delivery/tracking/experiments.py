"""What a store of experiments has, read by MLflow's own client."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.delivery.tracking.opening import no_warnings, quiet_mlflow
from pipelines.delivery.tracking.places import Tracking

quiet_mlflow()
with no_warnings():
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class Experiments:
    """A store, by the names of experiments and runs."""

    tracking: Tracking

    @property
    def client(self) -> MlflowClient:
        """MLflow's client."""
        with no_warnings():
            return MlflowClient(self.tracking.uri)

    def names(self) -> set[str]:
        """The experiments' names, MLflow's own one left out."""
        return {each.name for each in self.client.search_experiments()} - {"Default"}

    def runs(self, experiment: str) -> list[Run]:
        """The runs of an experiment, the first one at the beginning."""
        found = self.client.get_experiment_by_name(experiment)
        assert found
        return list(self.client.search_runs([found.experiment_id], order_by=["attributes.start_time"]))

    def run(self, experiment: str, name: str) -> Run:
        """The one run of that name."""
        (found,) = [run for run in self.runs(experiment) if run.info.run_name == name]
        return found

    def children(self, experiment: str, name: str | None) -> list[str]:
        """The names of the runs below another one, or of those by themselves."""
        parent = self.run(experiment, name).info.run_id if name else None
        return sorted(
            str(run.info.run_name) for run in self.runs(experiment) if run.data.tags.get("mlflow.parentRunId") == parent
        )

    def files(self, run: Run, folder: str | None = None) -> dict[str, str]:
        """The texts of a run's files by their paths."""
        found: dict[str, str] = {}
        for entry in self.client.list_artifacts(run.info.run_id, folder):
            if entry.is_dir:
                found |= self.files(run, entry.path)
            else:
                path = self.client.download_artifacts(run.info.run_id, entry.path)
                found[entry.path] = Path(path).read_text(encoding="utf-8")
        return found
