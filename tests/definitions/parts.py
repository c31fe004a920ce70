"""Jobs of the example pipelines, as the SDK's users write them."""

from typing import Any

from sagemaker.core.processing import ScriptProcessor
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
from sagemaker.core.workflow.functions import Join
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

from tests.definitions.sdk import BUCKET, ROLE, SKLEARN_IMAGE, XGBOOST_IMAGE

PROCESSING = "/opt/ml/processing"


def processor(session: Any, name: str, *, image: str = SKLEARN_IMAGE, count: Any = 1) -> ScriptProcessor:
    return ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=count,
        base_job_name=name,
        sagemaker_session=session,
        role=ROLE,
    )


def processing_input(name: str, uri: Any, folder: str) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"{PROCESSING}/{folder}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=source)


def processing_output(name: str, uri: Any = "generated") -> ProcessingOutput:
    target = ProcessingS3Output(s3_uri=uri, local_path=f"{PROCESSING}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=target)


def channel(name: str, step: Any, output: str | None = None) -> InputData:
    outputs = step.properties.ProcessingOutputConfig.Outputs
    return InputData(channel_name=name, data_source=outputs[output or name].S3Output.S3Uri, content_type="text/csv")


def trainer(session: Any, name: str, hyperparameters: dict[str, Any], **options: Any) -> ModelTrainer:
    return ModelTrainer(
        training_image=XGBOOST_IMAGE,
        base_job_name=name,
        role=ROLE,
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{name}"),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
        hyperparameters=hyperparameters,
        **options,
    )


def script_mode(**hyperparameters: Any) -> dict[str, Any]:
    source = f"s3://{BUCKET}/code/0a1b2c/sourcedir.tar.gz"
    return {**hyperparameters, "sagemaker_program": "train.py", "sagemaker_submit_directory": source}


def model(session: Any, artifact: Any) -> ModelBuilder:
    return ModelBuilder(s3_model_data_url=artifact, image_uri=XGBOOST_IMAGE, sagemaker_session=session, role_arn=ROLE)


def quality_metrics(evaluate: Any, output: str) -> ModelMetrics:
    folder = evaluate.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri
    uri = Join(on="/", values=[folder, "evaluation.json"])
    return ModelMetrics(
        model_quality=ModelQuality(statistics=MetricsSource(content_type="application/json", s3_uri=uri))
    )


def register(session: Any, artifact: Any, *, group: str, approval: Any, metrics: ModelMetrics) -> Any:
    return model(session, artifact).register(
        model_package_group_name=group,
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        approval_status=approval,
        model_metrics=metrics,
        customer_metadata_properties={"owner": "risk"},
        description="The best model so far",
    )
