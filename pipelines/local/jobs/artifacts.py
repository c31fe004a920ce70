"""What a training job leaves in S3: its model, its output and its checkpoints."""

from pipelines.local.containers import opt_ml
from pipelines.local.containers.archives import pack
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.database import Document
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.training_request import checkpoint_folder
from pipelines.local.store.keys import parse_uri

MODEL_ARCHIVE = "model.tar.gz"
OUTPUT_ARCHIVE = "output.tar.gz"


def model_uri(request: Document, name: str) -> str:
    """Return where a job's model is, or would be if it had one."""
    config = request["OutputDataConfig"]
    return f"{base_of(config, name)}/{'model/' if config.get('CompressionType') == 'NONE' else MODEL_ARCHIVE}"


def base_of(config: dict[str, str], name: str) -> str:
    """Return below which URI a job's artifacts are."""
    return f"{config['S3OutputPath'].rstrip('/')}/{name}/output"


def upload_artifacts(machine: Machine, tree: Tree, description: Document, *, partial: bool) -> None:
    """Upload output and model; a partial job may have left no model, and then none is uploaded.

    All is packed before anything is uploaded, so that a full disk uploads nothing.
    """
    config = description["OutputDataConfig"]
    base = base_of(config, description["TrainingJobName"])
    folders = {OUTPUT_ARCHIVE: opt_ml.OUTPUT_DATA, MODEL_ARCHIVE: opt_ml.MODEL}
    if not tree.has_files(opt_ml.OUTPUT_DATA):
        del folders[OUTPUT_ARCHIVE]
    if partial and not tree.has_files(opt_ml.MODEL):
        del folders[MODEL_ARCHIVE]
    if config.get("CompressionType") == "NONE":
        for folder in folders.values():
            machine.store.upload(tree.path(folder), f"{base}/{folder.rpartition('/')[2]}/")
        return
    for archive, folder in folders.items():
        pack(tree.path(folder), tree.folder.parent / archive)
    for archive in folders:
        machine.store.upload_file(tree.folder.parent / archive, f"{base}/{archive}")


def restore_checkpoints(machine: Machine, tree: Tree, description: Document) -> None:
    """Give a job the checkpoints that an earlier one left, if there are any."""
    config = description.get("CheckpointConfig")
    if config:
        tree.make(checkpoint_folder(config))
        bucket, prefix = parse_uri(config["S3Uri"])
        if machine.store.has_bucket(bucket) and machine.store.list(bucket, prefix):
            machine.store.download(config["S3Uri"], tree.path(checkpoint_folder(config)))


def save_checkpoints(machine: Machine, tree: Tree, description: Document) -> None:
    """Upload a job's checkpoints, however it ended; the service does so while the job runs."""
    config = description.get("CheckpointConfig")
    if config:
        machine.store.upload(tree.path(checkpoint_folder(config)), config["S3Uri"])
