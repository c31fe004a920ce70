"""What an adopter changes about the pipeline: a team's choices, which are in settings.json, and what is set here."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.delivery.settings import read_settings

SCRIPTS = Path(__file__).parent / "steps"


@dataclass(frozen=True)
class Script:
    """A program of the scripts folder, the files that it needs beside itself, and the SageMaker image that runs it.

    Only these files go up for it, so a change of one script leaves the cached results of the others valid.
    """

    program: str
    helpers: tuple[str, ...]
    framework: str
    version: str

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files of the program."""
        return (self.program, *self.helpers)


PREPROCESS = Script(
    "preprocess.py",
    ("columns.py", "features.py", "learning.py", "raw_tables.py", "splits.py", "schema.json"),
    "sklearn",
    "1.9-0",
)
TRAIN = Script("train.py", ("columns.py", "features.py", "claims.py", "inference.py"), "xgboost", "3.2-0")
EVALUATE = Script("evaluate.py", ("columns.py", "features.py", "claims.py", "inference.py"), "xgboost", "3.2-0")

_chosen = read_settings(Path(__file__).with_name("settings.json"))
# The commands look for these six in the settings of any pipeline.
PIPELINE_NAME = _chosen.pipeline_name
MODEL_PACKAGE_GROUP_NAME = _chosen.model_package_group_name
BASE_JOB_PREFIX = _chosen.base_job_prefix
REGION = _chosen.region
SUBNETS = _chosen.subnets
SECURITY_GROUPS = _chosen.security_groups

MODEL_DESCRIPTION = _chosen.model_description
INPUT_DATA = _chosen.input_data
PROCESSING_INSTANCE_TYPE = _chosen.processing_instance_type
TRAINING_INSTANCE_TYPE = _chosen.training_instance_type
ROC_AUC_THRESHOLD = _chosen.roc_auc_threshold
MAX_TUNING_JOBS = _chosen.max_tuning_jobs
MAX_PARALLEL_TUNING_JOBS = _chosen.max_parallel_tuning_jobs

SEED = 42
CACHED_FOR = "P7D"
VOLUME_GB = 30
PROCESSING_SECONDS = 2 * 60 * 60
TRAINING_SECONDS = 4 * 60 * 60

# A metric that the XGBoost image defines itself; the service takes no other definitions for it, script or not.
OBJECTIVE = "validation:auc"
AUC_PATH = "binary_classification_metrics.auc.value"

# What Preprocess read: the number stands in the model package.
INPUT_REPORT = "input.json"
INPUT_HASH_PATH = "sha256"

# Raw rows of the test set and what became of them: whoever deploys the model sends them through the endpoint.
LABELLED_ROWS = "labelled.csv"

CONTENT_TYPES = ["text/csv", "application/json"]
# The first one is what deploy-model takes unless it is told another.
INFERENCE_INSTANCES = list(
    dict.fromkeys([_chosen.hosting_instance_type, "ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"])
)
TRANSFORM_INSTANCES = ["ml.m5.large", "ml.m5.xlarge"]
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
EVALUATION_REPORT = "evaluation.json"
