"""Tuning requests for a small script, and the machine that runs them."""

import io
import tarfile
from pathlib import Path
from typing import Any

import botocore.session

from pipelines.local.containers.host import Host
from pipelines.local.database import Database
from pipelines.local.jobs import tuning
from pipelines.local.jobs.machine import Machine
from pipelines.local.store import Store
from tests.local.documents import BUCKET, ROLE, SKLEARN, XGBOOST

Json = dict[str, Any]

# Prints its hyperparameter x as the score of some epochs. A behaviour is for the values of x from one to another.
SCRIPT = """
import argparse, signal, sys, time

def between(text):
    low, high = map(float, text.split(":"))
    return lambda x: low <= x <= high

parser = argparse.ArgumentParser()
parser.add_argument("-x", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=1)
for behaviour in ("fail", "mute", "hang", "slow"):
    parser.add_argument(f"--{behaviour}", type=between, default=lambda x: False)
arguments, _ = parser.parse_known_args()
x = arguments.x
if arguments.slow(x):
    time.sleep(0.15)
if arguments.fail(x):
    sys.exit(f"x is {x}, which it must not be")
for epoch in range(0 if arguments.mute(x) else arguments.epochs):
    print(f"epoch {epoch} score={x + epoch / 100};", flush=True)
if arguments.hang(x):
    signal.pause()
"""


def make_machine(root: Path, host: Host) -> Machine:
    """Return a machine in a folder, with the script in its store."""
    machine = Machine(
        root=root,
        store=Store(root / "s3"),
        database=Database(root / "state.db"),
        host=host,
        model=botocore.session.get_session().get_service_model("sagemaker"),
        region="us-east-1",
        account="000000000000",
    )
    machine.store.create_bucket(BUCKET)
    machine.store.put(BUCKET, "code/sourcedir.tar.gz", archive("trial.py", SCRIPT))
    return machine


def archive(name: str, content: str) -> bytes:
    """Return a tar.gz with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content.encode())
        tar.addfile(member, io.BytesIO(content.encode()))
    return stream.getvalue()


def numbers(name: str = "x", low: str = "0", high: str = "1", **more: str) -> Json:
    """Return a range of numbers."""
    return {"Name": name, "MinValue": low, "MaxValue": high, **more}


def words(name: str, *values: str) -> Json:
    """Return a range of words."""
    return {"Name": name, "Values": list(values)}


def tuning_request(
    strategy: str = "Random", *, trials: int | None = 3, parallel: int = 2, ranges: Json | None = None, **config: Any
) -> Json:
    """Return a request that tunes x; `config` is more of HyperParameterTuningJobConfig."""
    limits: Json = {"MaxParallelTrainingJobs": parallel}
    if trials is not None:
        limits["MaxNumberOfTrainingJobs"] = trials
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": limits,
            "ParameterRanges": ranges or {"ContinuousParameterRanges": [numbers()]},
            **config,
        },
        "TrainingJobDefinition": script_definition(),
    }


def grid_request(*values: str, parallel: int = 1, **config: Any) -> Json:
    """Return a request that tries some values of x in this order."""
    ranges = {"CategoricalParameterRanges": [words("x", *values)]}
    return tuning_request("Grid", trials=None, parallel=parallel, ranges=ranges, **config)


def script_definition(**static: str) -> Json:
    """Return the definition of training jobs that run the script with some hyperparameters."""
    program = {"sagemaker_program": "trial.py", "sagemaker_submit_directory": f"s3://{BUCKET}/code/sourcedir.tar.gz"}
    return {
        "StaticHyperParameters": {**program, **static},
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def xgboost_request(strategy: str = "Bayesian", *, trials: int = 1, parallel: int = 1) -> Json:
    """Return a request that tunes XGBoost as the built-in algorithm, on CSV files in the bucket."""
    channels = [
        {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}"}},
        }
        for name in ("train", "validation")
    ]
    request = tuning_request(strategy, trials=trials, parallel=parallel)
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    config["HyperParameterTuningJobObjective"]["MetricName"] = "validation:auc"
    config["ParameterRanges"] = {
        "IntegerParameterRanges": [numbers("max_depth", "1", "6")],
        "ContinuousParameterRanges": [numbers("eta", "0.01", "0.9", ScalingType="Logarithmic")],
    }
    definition["StaticHyperParameters"] = {"num_round": "8", "objective": "binary:logistic"}
    definition["AlgorithmSpecification"] = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
    definition["InputDataConfig"] = channels
    return request


def tuned(description: Json) -> list[Json]:
    """Return the hyperparameters of the trials in the order in which they were chosen."""
    trials = sorted(description["TrainingJobSummaries"], key=lambda trial: str(trial["TrainingJobName"]))
    return [trial["TunedHyperParameters"] for trial in trials]


def values(description: Json) -> list[float | None]:
    """Return the objective's values of the trials as they are listed."""
    metric = "FinalHyperParameterTuningJobObjectiveMetric"
    return [trial[metric]["Value"] if metric in trial else None for trial in description["TrainingJobSummaries"]]


def nothing_was_written(machine: Machine) -> bool:
    """Tell whether there is neither a tuning job nor a training job, a log or a job's folder."""
    documents = [*machine.database.list(tuning.KIND), *machine.database.list("training-job")]
    return not documents and not (machine.root / "logs").exists() and not (machine.root / "jobs").exists()
