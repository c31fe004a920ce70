"""What a training job leaves in S3: its model, its output and its checkpoints."""

from pathlib import Path

from pipelines.local.containers import opt_ml
from pipelines.local.containers.archives import left_out, pack
from pipelines.local.containers.files import has_files, irregular
from pipelines.local.containers.opt_ml import NotAFolder, Tree
from pipelines.local.database import Document
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.results import note_left_out
from pipelines.local.jobs.training_request import checkpoint_folder
from pipelines.local.jobs.workspace import note
from pipelines.local.store.keys import parse_uri

MODEL_ARCHIVE = "model.tar.gz"
ARCHIVES = {opt_ml.OUTPUT_DATA: "output.tar.gz", opt_ml.MODEL: MODEL_ARCHIVE}


def model_uri(request: Document, name: str) -> str:
    """Return where a job's model is, or would be if it had one."""
    config = request["OutputDataConfig"]
    return f"{base_of(config, name)}/{'model/' if config.get('CompressionType') == 'NONE' else MODEL_ARCHIVE}"


def base_of(config: dict[str, str], name: str) -> str:
    """Return below which URI a job's artifacts are."""
    return f"{config['S3OutputPath'].rstrip('/')}/{name}/output"


def upload_artifacts(machine: Machine, tree: Tree, description: Document, log: Path, *, partial: bool) -> None:
    """Upload output and model; a partial job may have left no model, and then none is uploaded.

    All is packed before anything is uploaded, so that a full disk uploads nothing.

    Raises:
        NotAFolder: a folder was removed, or replaced by something else.
    """
    config = description["OutputDataConfig"]
    base = base_of(config, description["TrainingJobName"])
    folders = _folders(tree, partial=partial)
    packed = config.get("CompressionType") != "NONE"
    for inside, folder in folders.items():
        if inside == opt_ml.MODEL and not has_files(folder):
            note(log, f"{inside} is empty: the model has no files")
        note_left_out(log, inside, folder, left_out(folder) if packed else list(irregular(folder)))
    if not packed:
        for inside, folder in folders.items():
            machine.store.upload(folder, f"{base}/{inside.rpartition('/')[2]}/")
        return
    for inside, folder in folders.items():
        pack(folder, tree.folder.parent / ARCHIVES[inside])
    for inside in folders:
        machine.store.upload_file(tree.folder.parent / ARCHIVES[inside], f"{base}/{ARCHIVES[inside]}")


def _folders(tree: Tree, *, partial: bool) -> dict[str, Path]:
    """Return the folders to upload, by their paths as the container sees them."""
    output, model = tree.left(opt_ml.OUTPUT_DATA), tree.left(opt_ml.MODEL)
    if model is None and not partial:
        raise NotAFolder(f"{opt_ml.MODEL} was removed; leave the folder there, with the model in it")
    folders = {}
    if output and has_files(output):
        folders[opt_ml.OUTPUT_DATA] = output
    if model and (has_files(model) or not partial):
        folders[opt_ml.MODEL] = model
    return folders


def restore_checkpoints(machine: Machine, tree: Tree, description: Document) -> None:
    """Give a job the checkpoints that an earlier one left, if there are any."""
    config = description.get("CheckpointConfig")
    if config:
        tree.make(checkpoint_folder(config))
        bucket, prefix = parse_uri(config["S3Uri"])
        if machine.store.has_bucket(bucket) and machine.store.list(bucket, prefix):
            machine.store.download(config["S3Uri"], tree.path(checkpoint_folder(config)))


def save_checkpoints(machine: Machine, tree: Tree, description: Document, log: Path) -> None:
    """Upload a job's checkpoints, however it ended; the service does so while the job runs.

    Raises:
        NotAFolder: their folder was replaced by something else.
    """
    config = description.get("CheckpointConfig")
    folder = tree.left(checkpoint_folder(config)) if config else None
    if config and folder:
        note_left_out(log, checkpoint_folder(config), folder, list(irregular(folder)))
        machine.store.upload(folder, config["S3Uri"])
