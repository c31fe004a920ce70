"""The container of a training job, in its three modes: a script, a command of the user's, or the image's algorithm."""

import shutil
from pathlib import Path

from pipelines.local.containers import opt_ml, toolkit
from pipelines.local.containers.archives import unpack
from pipelines.local.containers.container import OPT_ML, Container, Exit
from pipelines.local.containers.images import library_of, runtime_of
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.requirements import read, unmet
from pipelines.local.containers.toolkit import Training
from pipelines.local.database import Document
from pipelines.local.jobs.inputs import download
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.training_request import instance_type_of, limit_of
from pipelines.local.jobs.workspace import JobFailure, last_line
from pipelines.local.store.keys import parse_uri

ALGORITHM = Path(toolkit.__file__).with_name("xgboost_algorithm.py")
REQUIREMENTS = "requirements.txt"
FOLDERS = (opt_ml.CODE, opt_ml.INPUT_CONFIG, opt_ml.INPUT_DATA, opt_ml.MODEL, opt_ml.OUTPUT_DATA)


def training_of(description: Document, cpus: int | None = None) -> Training:
    """Return what script mode needs to know of a job."""
    return Training(
        name=description["TrainingJobName"],
        runtime=runtime_of(description["AlgorithmSpecification"]["TrainingImage"]),
        hyperparameters=description.get("HyperParameters", {}),
        channels=tuple(description.get("InputDataConfig", [])),
        instance_type=instance_type_of(description),
        cpus=cpus,
    )


def prepare(machine: Machine, tree: Tree, description: Document) -> None:
    """Lay out the tree and copy the channels."""
    tree.make(*FOLDERS)
    channels = description.get("InputDataConfig", [])
    tree.write_json(f"{opt_ml.INPUT_CONFIG}/hyperparameters.json", description.get("HyperParameters", {}))
    tree.write_json(f"{opt_ml.INPUT_CONFIG}/inputdataconfig.json", opt_ml.input_data_config(channels))
    resources = opt_ml.resource_config(instance_type_of(description))
    tree.write_json(f"{opt_ml.INPUT_CONFIG}/resourceconfig.json", resources)
    for channel in channels:
        source = channel["DataSource"]["S3DataSource"]
        folder = tree.path(f"{opt_ml.INPUT_DATA}/{channel['ChannelName']}")
        download(machine.store, f"channel '{channel['ChannelName']}'", source["S3Uri"], source["S3DataType"], folder)


def container_of(
    machine: Machine, tree: Tree, description: Document, log: Path, *, cpus: int | None = None
) -> Container:
    """Return the container of a job whose tree is laid out.

    Raises:
        JobFailure: its program cannot be had, or needs what is not installed.
    """
    training = training_of(description, cpus)
    given = description.get("Environment", {})
    algorithm = description["AlgorithmSpecification"]
    program = training.setting("program", given)
    folder, own = None, {}
    if algorithm.get("ContainerEntrypoint"):
        entrypoint = (*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", []))
    elif program:
        module = training.setting("submit_directory", given) or opt_ml.CODE
        fetch_code(machine, tree, module)
        ready_code(tree, program, module)
        folder, own = opt_ml.CODE, toolkit.variables_of(training, program, module)
        entrypoint = script_command(training, program)
    else:
        own = toolkit.variables_of(training, "", "")
        entrypoint = ("python3", str(ALGORITHM))
    names = {"TRAINING_JOB_NAME": training.name, "TRAINING_JOB_ARN": description["TrainingJobArn"]}
    environment = {"AWS_REGION": machine.region, **machine.environment(), **names, **given, **own}
    library = library_of(algorithm["TrainingImage"])
    return Container(entrypoint, tree.folder, log, environment, limit_of(description), cpus, folder, library)


def script_command(training: Training, program: str) -> tuple[str, ...]:
    """Return the command that runs a script with its hyperparameters."""
    arguments = toolkit.arguments_of(toolkit.user_hyperparameters(training.hyperparameters))
    return toolkit.command_of(program, arguments)


def fetch_code(machine: Machine, tree: Tree, module: str) -> None:
    """Put a script's archive or folder at /opt/ml/code."""
    code = tree.path(opt_ml.CODE)
    if module.startswith("s3://"):
        archive = tree.folder.parent / "sourcedir.tar.gz"
        bucket, key = parse_uri(module)
        with machine.store.open(bucket, key) as source, archive.open("wb") as target:
            shutil.copyfileobj(source, target)
        unpack(archive, code, module)
    elif module.rstrip("/") != opt_ml.CODE:
        try:
            local = tree.path(module)
        except ValueError as error:
            raise JobFailure(
                f"ClientError: sagemaker_submit_directory '{module}' is neither an S3 URI nor below {OPT_ML}/"
            ) from error
        if local.is_dir():
            shutil.copytree(local, code, dirs_exist_ok=True)
        else:
            unpack(local, code, module)


def ready_code(tree: Tree, program: str, module: str) -> None:
    """Make a program executable; refuse one that is not there, or whose requirements are not installed.

    Raises:
        JobFailure: naming what is missing.
    """
    code = tree.path(opt_ml.CODE)
    if not (code / program).is_file():
        there = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise JobFailure(f"ClientError: sagemaker_program '{program}' is not in {module}, which has: {there}")
    (code / program).chmod(0o755)
    requirements = code / REQUIREMENTS
    missing = list(unmet(read(requirements))) if requirements.is_file() else []
    if missing:
        raise JobFailure(
            f"ClientError: {REQUIREMENTS}: {'; '.join(missing)}. Jobs install nothing on this machine: add it to the "
            "environment that the jobs run in"
        )


def failure_text(tree: Tree, description: Document, log: Path, ended: Exit) -> str:
    """Return why a job failed: its own words, or those that the training toolkit has for a script."""
    own = tree.failure()
    if own:
        return own
    training = training_of(description)
    program = training.setting("program", description.get("Environment", {}))
    if program is None or description["AlgorithmSpecification"].get("ContainerEntrypoint"):
        return last_line(log)
    command = " ".join(script_command(training, program))
    return f'ExecuteUserScriptError:\nExitCode {ended.code}\nErrorMessage "{last_line(log)}"\nCommand "{command}"'
