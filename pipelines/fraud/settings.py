"""What an adopter changes about the pipeline: scripts, images, names, limits and what a served model takes."""

from dataclasses import dataclass
from pathlib import Path

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


PREPROCESS = Script("preprocess.py", ("features.py", "schema.json"), "sklearn", "1.9-0")
TRAIN = Script("train.py", ("features.py", "claims.py", "inference.py"), "xgboost", "3.2-0")
EVALUATE = Script("evaluate.py", ("features.py", "claims.py", "inference.py"), "xgboost", "3.2-0")

PIPELINE_NAME = "fraud-detection"
MODEL_PACKAGE_GROUP_NAME = "fraud-detection"
BASE_JOB_PREFIX = "fraud"

SEED = 42
CACHED_FOR = "P7D"
INSTANCE_TYPE = "ml.m5.xlarge"
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
INFERENCE_INSTANCES = ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"]
TRANSFORM_INSTANCES = ["ml.m5.large", "ml.m5.xlarge"]
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
ROC_AUC_THRESHOLD = 0.85
EVALUATION_REPORT = "evaluation.json"
MODEL_DESCRIPTION = "Probability that an auto-insurance claim is fraudulent, from raw claims joined with customers."
