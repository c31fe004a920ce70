"""The parts of the SageMaker SDK that a pipeline is written with, made to import and to compile everywhere, quietly."""

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import NoRegionError

from pipelines.quiet_sdk import no_telemetry, own_logging


@contextmanager
def _unused_clients(region: str) -> Iterator[None]:
    """Let the SDK make clients that nothing uses, on import and for its steps: they want a region, and credentials."""
    # Without credentials each would ask the metadata service of an EC2 instance, which takes a second to not exist.
    values = {"AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true"}
    before = {name: os.environ[name] for name in values if name in os.environ}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
        os.environ.update(before)


with _unused_clients("us-east-1"), own_logging(), warnings.catch_warnings():
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # the SDK's calls of its own deprecated modules
    from sagemaker.core import image_uris
    from sagemaker.core.config.config_manager import SageMakerConfig
    from sagemaker.core.helper.session_helper import get_execution_role
    from sagemaker.core.metadata_properties import MetadataProperties
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import (
        MetricsSource,
        ModelMetrics,
        ModelQuality,
        OutputDataConfig,
        ProcessingInput,
        ProcessingOutput,
        ProcessingS3Input,
        ProcessingS3Output,
        StoppingCondition,
    )
    from sagemaker.core.training.configs import Compute, InputData, Networking
    from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TuningStep
    from sagemaker.serve import ModelBuilder
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

__all__ = [
    "CacheConfig",
    "Compute",
    "ConditionLessThanOrEqualTo",
    "ConditionStep",
    "ContinuousParameter",
    "ExecutionVariables",
    "HyperparameterTuner",
    "InputData",
    "IntegerParameter",
    "Join",
    "JsonGet",
    "MetadataProperties",
    "MetricsSource",
    "ModelBuilder",
    "ModelMetrics",
    "ModelQuality",
    "ModelStep",
    "ModelTrainer",
    "NetworkConfig",
    "Networking",
    "OutputDataConfig",
    "ParameterFloat",
    "ParameterInteger",
    "ParameterString",
    "Pipeline",
    "ProcessingInput",
    "ProcessingOutput",
    "ProcessingS3Input",
    "ProcessingS3Output",
    "ProcessingStep",
    "Processor",
    "PropertyFile",
    "StoppingCondition",
    "TrainingStep",
    "TuningStep",
    "compiling",
    "get_execution_role",
    "image_uris",
    "pipeline_session",
]

# Without this the SDK asks IAM to simulate the role's policies, a right that a build rarely has.
os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Popping out")


# Every compile warns that the service makes the jobs' names itself.
for _name in ("sagemaker.core.workflow.utilities", "sagemaker.mlops.workflow.model_step"):
    logging.getLogger(_name).addFilter(_is_news)


def _once(validate: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a check that takes the same content only once."""
    valid: set[str] = set()

    def check(config: Any) -> None:
        content = json.dumps(config, sort_keys=True)
        if content not in valid:
            validate(config)
            valid.add(content)

    return check


# The SDK checks its whole configuration at each of the hundred times that a compile looks something up in it: 8 s.
SageMakerConfig.validate_sagemaker_config = staticmethod(_once(SageMakerConfig.validate_sagemaker_config))


def pipeline_session(boto_session: boto3.Session | None, *, region: str | None, bucket: str | None) -> Any:
    """Return the SDK's session that records requests instead of sending them, without telemetry.

    The session's region wins; `region` is for when there is no session. NoRegionError when there is neither.
    """
    session = boto_session or boto3.Session(region_name=region)
    if session.region_name is None:
        raise NoRegionError
    return PipelineSession(boto_session=session, default_bucket=bucket, sagemaker_config=no_telemetry())


@contextmanager
def compiling(session: Any) -> Iterator[None]:
    """Let steps be made of a pipeline session on any machine, without the warnings that this always brings."""
    with _unused_clients(session.boto_region_name), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Running within a PipelineSession")
        warnings.filterwarnings("ignore", message="The 'dependencies' parameter is deprecated")
        yield
