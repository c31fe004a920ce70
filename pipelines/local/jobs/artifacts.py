"""What a training job leaves in S3: its model, its output and its checkpoints."""

from pipelines.local.containers import opt_ml
from pipelines.local.containers.archives import pack
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.database import Document
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.training_request import checkpoint_folder
from pipelines.local.keys import parse_uri

MODEL_ARCHIVE = "model.tar.gz"
OUTPUT_ARCHIVE = "output.tar.gz"


def upload_artifacts(machine: Machine, tree: Tree, description: Document, *, partial: bool) -> str | None:
    """Upload output and model, and return the model's URI; a partial job may have none.

    All is packed before anything is uploaded, so that a full disk uploads nothing.
    """
    config = description["OutputDataConfig"]
    base = f"{config['S3OutputPath'].rstrip('/')}/{description['TrainingJobName']}/output"
    has_model = tree.has_files(opt_ml.MODEL) or not partial
    has_output = tree.has_files(opt_ml.OUTPUT_DATA)
    if config.get("CompressionType") == "NONE":
        if has_output:
            machine.store.upload(tree.path(opt_ml.OUTPUT_DATA), f"{base}/data/")
        if has_model:
            machine.store.upload(tree.path(opt_ml.MODEL), f"{base}/model/")
        return f"{base}/model/" if has_model else None
    packed = tree.folder.parent
    if has_output:
        pack(tree.path(opt_ml.OUTPUT_DATA), packed / OUTPUT_ARCHIVE)
    if has_model:
        pack(tree.path(opt_ml.MODEL), packed / MODEL_ARCHIVE)
    if has_output:
        machine.store.upload_file(packed / OUTPUT_ARCHIVE, f"{base}/{OUTPUT_ARCHIVE}")
    if has_model:
        machine.store.upload_file(packed / MODEL_ARCHIVE, f"{base}/{MODEL_ARCHIVE}")
    return f"{base}/{MODEL_ARCHIVE}" if has_model else None


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
