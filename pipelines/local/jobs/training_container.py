"""The container of a training job, in its three modes: a script, a command of the user's, or the image's algorithm."""

from pathlib import Path

from pipelines.local.containers import opt_ml, toolkit
from pipelines.local.containers.container import Container, Exit
from pipelines.local.containers.images import library_of, runtime_of
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.program import fetch_code, ready_code
from pipelines.local.containers.toolkit import Training
from pipelines.local.database import Document
from pipelines.local.jobs.inputs import download
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.training_request import instance_type_of, limit_of
from pipelines.local.jobs.workspace import last_line

ALGORITHM = Path(toolkit.__file__).with_name("xgboost_algorithm.py")
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
        NoProgram: its program cannot be had, or needs what is not installed.
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
        fetch_code(machine.store, tree, module)
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
