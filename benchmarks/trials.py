"""The tuning job's five trials, beside a plain Optuna loop in one process that tries the same hyperparameters."""

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.bare import Bare
from benchmarks.template import BUCKET, LOG, Definition, Template, step
from benchmarks.timing import Row, Timing, judge, ratios, seconds, side_by_side, time_process

LIMIT = 1.3
CHANNELS = ("train", "validation", "schema")
PREPARED = f"s3://{BUCKET}/prepared"


def tuning_definition(template: Template, trials: int | None = None) -> Definition:
    """Return a pipeline of the Tune step alone, which reads prepared channels; with fewer trials, if asked for."""
    definition = template.definition()
    tune = step(definition, "Tune")
    arguments = tune["Arguments"]
    for channel in arguments["TrainingJobDefinition"]["InputDataConfig"]:
        channel["DataSource"]["S3DataSource"]["S3Uri"] = f"{PREPARED}/{channel['ChannelName']}"
    if trials:
        limits = {"MaxParallelTrainingJobs": trials, "MaxNumberOfTrainingJobs": trials}
        arguments["HyperParameterTuningJobConfig"]["ResourceLimits"] = limits
    return {**definition, "Steps": [tune]}


def prepare(template: Template) -> Path:
    """Preprocess the data into the template's S3, and return the folder with the channels."""
    bare = Bare(template, template.folder / "prepared")
    bare.preprocess()
    channels = template.s3(PREPARED)
    for name in CHANNELS:
        shutil.copytree(bare.folder / name, channels / name, dirs_exist_ok=True)
    return channels


class Tuning:
    """Runs of the tuning pipeline, and what the last one tried and how long its job took."""

    def __init__(self, template: Template, definition: Definition) -> None:
        self._template = template
        self._file = template.write("tuning", definition)
        self._outcome = template.folder / "tuning-outcome.json"
        self.job_seconds: list[float] = []

    def run(self) -> Timing:
        """Time a run in a fresh root."""
        root = self._template.fresh_root("tuning")
        timing = self._template.run(root, self._file, "--json", self._outcome)
        (tune,) = json.loads(self._outcome.read_text())["steps"]
        self.job_seconds.append(tune["seconds"])
        return timing

    def tried(self) -> list[dict[str, float]]:
        """Return the hyperparameters of the last run's trials."""
        # boto3 is for the runs that are timed, too; this process needs it only here.
        from pipelines.local.session import session  # noqa: PLC0415

        job = json.loads(self._outcome.read_text())["steps"][0]["job_arn"].rpartition("/")[2]
        local = session(self._template.folder / "tuning", region="us-east-1")
        answer: Any = local.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=job, SortBy="Name", SortOrder="Ascending"
        )
        local.close()
        trials = [trial["TunedHyperParameters"] for trial in answer["TrainingJobSummaries"]]
        return [{name: json.loads(value) for name, value in trial.items()} for trial in trials]


def measure(template: Template, rounds: int) -> list[Row]:
    """Time both in turn, after a run that tells what the trials are."""
    channels = prepare(template)
    definition = tuning_definition(template)
    tuning = Tuning(template, definition)
    tuning.run()
    plan = template.folder / "trials.json"
    fixed = step(definition, "Tune")["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]
    plan.write_text(json.dumps({"fixed": fixed, "trials": tuning.tried()}))
    tuning.job_seconds.clear()

    def loop() -> Timing:
        return time_process(["-m", "benchmarks.optuna_loop", channels, plan], template.folder / LOG)

    timings = side_by_side("trials", {"run-pipeline, Tune": tuning.run, "Optuna loop": loop}, rounds)
    ours, theirs = map(seconds, timings.values())
    return [
        judge("trials: tuning job / Optuna loop's process", LIMIT, ratios(tuning.job_seconds, theirs)),
        judge("trials: run-pipeline / Optuna loop's process", LIMIT, ratios(ours, theirs)),
    ]
