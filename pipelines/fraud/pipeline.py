"""The fraud pipeline: preprocess, train and evaluate a model, tune it if it falls short, and register what is good."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.exceptions import ClientError

from pipelines.delivery.upload import Destination, hash_sources, upload_archive, upload_data, upload_sources
from pipelines.fraud import dataset, network, sdk, settings
from pipelines.fraud.hyperparameters import RANGES, UNTUNED, Range
from pipelines.fraud.schema import read_schema
from pipelines.fraud.settings import EVALUATE, PREPROCESS, TRAIN, Script

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
UNKNOWN = "unknown"
CHANNELS = ("train", "validation", "schema")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")


@dataclass(frozen=True)
class Parameters:
    """The values that a run may be started with, in the definition's order."""

    processing_instance_type: Any
    processing_instance_count: Any
    training_instance_type: Any
    training_instance_count: Any
    input_data: Any
    roc_auc_threshold: Any
    model_approval_status: Any
    commit_id: Any
    repository: Any


@dataclass(frozen=True)
class Tuning:
    """How many trials there are, and how many of them run side by side."""

    jobs: int
    parallel_jobs: int

    def __post_init__(self) -> None:
        for name, number in (("max_tuning_jobs", self.jobs), ("max_parallel_tuning_jobs", self.parallel_jobs)):
            # They may come from JSON, whose true is a number to Python.
            if type(number) is not int or number < 1:
                raise ValueError(f"{name} is {number!r}: expected a whole number of at least 1")
        if self.parallel_jobs > self.jobs:
            raise ValueError(
                f"max_parallel_tuning_jobs is {self.parallel_jobs} and max_tuning_jobs is {self.jobs}: "
                "the first must be at most the second"
            )


@dataclass(frozen=True)
class Plan:
    """What every step is made with."""

    session: Any
    role: str
    uploads: Destination
    parameters: Parameters
    model_package_group_name: str
    metadata: Mapping[str, Any]

    @cached_property
    def training_code(self) -> str:
        """The archive of the training script, which two steps use."""
        return upload_archive(settings.SCRIPTS, TRAIN.files, self.uploads)

    @property
    def models(self) -> str:
        """The key prefix below which training jobs leave their models."""
        return f"{self.uploads.prefix}/models"

    def image(self, script: Script) -> str:
        """Return the image that runs a script."""
        return _image(script.framework, script.version, self.session.boto_region_name)


def get_pipeline(  # noqa: PLR0913 - the SageMaker Projects convention's names, all optional
    *,
    region: str | None = None,
    sagemaker_project_arn: str | None = None,
    role: str | None = None,
    default_bucket: str | None = None,
    model_package_group_name: str = settings.MODEL_PACKAGE_GROUP_NAME,
    pipeline_name: str = settings.PIPELINE_NAME,
    base_job_prefix: str = settings.BASE_JOB_PREFIX,
    boto_session: boto3.Session | None = None,
    input_data: str | None = None,
    max_tuning_jobs: int = settings.MAX_TUNING_JOBS,
    max_parallel_tuning_jobs: int = settings.MAX_PARALLEL_TUNING_JOBS,
) -> Any:
    """Return the pipeline, an SDK object whose `definition()` is the same bytes for the same code and arguments.

    Code and, without `input_data` (an S3 URI), the data that the settings name, or sample data, are uploaded to the
    bucket under their content's hash; no other AWS state is touched. ValueError names an argument that cannot be used.
    """
    tuning, schema = Tuning(max_tuning_jobs, max_parallel_tuning_jobs), read_schema()
    session = sdk.pipeline_session(boto_session, region=region or settings.REGION, bucket=default_bucket)
    if default_bucket:
        _require_bucket(session, default_bucket)
    uploads = Destination(
        session.boto_session, session.default_bucket(), base_job_prefix.strip("/") or settings.BASE_JOB_PREFIX
    )
    plan = Plan(
        session=session,
        role=_role(role, session),
        uploads=uploads,
        parameters=_parameters(input_data or _default_data(uploads, schema)),
        model_package_group_name=model_package_group_name,
        metadata=_metadata(sagemaker_project_arn),
    )
    with sdk.compiling(session):
        steps = _steps(plan, tuning)
    return sdk.Pipeline(
        name=pipeline_name, parameters=list(vars(plan.parameters).values()), steps=steps, sagemaker_session=session
    )


def _require_bucket(session: Any, bucket: str) -> None:
    """Refuse a bucket that cannot be used: the SDK would make one of a mistyped name."""
    try:
        session.boto_session.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise ValueError(
            f"default_bucket {bucket}: HeadBucket answers {code}; make the bucket, or name one that this role may use"
        ) from error


@cache
def _image(framework: str, version: str, region: str) -> str:
    return str(sdk.image_uris.retrieve(framework, region, version=version))


def _role(role: str | None, session: Any) -> str:
    arn = role or str(sdk.get_execution_role(session))
    if not ROLE.fullmatch(arn):
        raise ValueError(f"role is {arn!r}: give the full ARN, arn:aws:iam::<account>:role/<name>")
    return arn


def _parameters(input_data: str | None) -> Parameters:
    return Parameters(
        processing_instance_type=sdk.ParameterString(
            "ProcessingInstanceType", default_value=settings.PROCESSING_INSTANCE_TYPE
        ),
        processing_instance_count=sdk.ParameterInteger("ProcessingInstanceCount", default_value=1),
        training_instance_type=sdk.ParameterString(
            "TrainingInstanceType", default_value=settings.TRAINING_INSTANCE_TYPE
        ),
        training_instance_count=sdk.ParameterInteger("TrainingInstanceCount", default_value=1),
        input_data=sdk.ParameterString("InputData", default_value=input_data),
        roc_auc_threshold=sdk.ParameterFloat("RocAucThreshold", default_value=settings.ROC_AUC_THRESHOLD),
        model_approval_status=sdk.ParameterString(
            "ModelApprovalStatus",
            default_value="PendingManualApproval",
            enum_values=["Approved", "Rejected", "PendingManualApproval"],
        ),
        # Parameters, so that commits which change no step share one definition; run-pipeline sets them.
        commit_id=sdk.ParameterString("CommitId", default_value=UNKNOWN),
        repository=sdk.ParameterString("Repository", default_value=UNKNOWN),
    )


def _default_data(uploads: Destination, schema: Mapping[str, Any]) -> str | None:
    """Return the S3 URI of the team's own data, or of sample data; what is no URI is a folder, and uploaded.

    None where the sample data do not fit the schema: then each run is told its data.
    """
    own = settings.INPUT_DATA
    if own is not None:
        return own if own.startswith("s3://") else upload_data(Path(own), uploads)
    if not dataset.fits(schema):
        return None
    with TemporaryDirectory() as folder:
        dataset.write(Path(folder))
        return upload_data(Path(folder), uploads)


def _metadata(project_arn: str | None) -> dict[str, Any]:
    project = {"SageMakerProjectArn": project_arn} if project_arn else {}
    return {"PipelineExecutionArn": sdk.ExecutionVariables.PIPELINE_EXECUTION_ARN, **project}


def _steps(plan: Plan, tuning: Tuning) -> list[Any]:
    preprocess = _preprocess(plan)
    train = _train(plan, preprocess)
    model = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = _evaluate("Evaluate", plan, preprocess, model)
    good = [_register("Register", plan, model, (preprocess, evaluate)), _create_model("CreateModel", plan, model)]
    gate = sdk.ConditionStep(
        name="AucGate",
        conditions=[sdk.ConditionLessThanOrEqualTo(left=_auc(evaluate), right=plan.parameters.roc_auc_threshold)],
        if_steps=_second_chance(plan, tuning, preprocess),
        else_steps=good,
    )
    return [preprocess, train, evaluate, gate]


def _second_chance(plan: Plan, tuning: Tuning, preprocess: Any) -> list[Any]:
    tune = _tune(plan, tuning, preprocess)
    model = tune.get_top_model_s3_uri(top_k=0, s3_bucket=plan.uploads.bucket, prefix=plan.models)
    # A branch cannot hold a second condition, so this evaluation is the gate: it fails where the model does.
    evaluate = _evaluate("EvaluateTuned", plan, preprocess, model, threshold=plan.parameters.roc_auc_threshold)
    register = _register("RegisterTuned", plan, model, (preprocess, evaluate))
    create = _create_model("CreateTunedModel", plan, model, after=evaluate)
    return [tune, evaluate, register, create]


def _preprocess(plan: Plan) -> Any:
    arguments = ["--input-dir", f"{INPUT}/data", "--output-dir", OUTPUT, "--seed", str(settings.SEED)]
    return sdk.ProcessingStep(
        name="Preprocess",
        step_args=_processor(plan, PREPROCESS).run(
            inputs=[_code(plan, PREPROCESS), _input("data", plan.parameters.input_data)],
            outputs=[_output(plan, "Preprocess", name) for name in (*CHANNELS, "test", "labelled", "input")],
            arguments=arguments,
        ),
        property_files=[sdk.PropertyFile(name="InputReport", output_name="input", path=settings.INPUT_REPORT)],
        cache_config=_cache(),
    )


def _evaluate(name: str, plan: Plan, preprocess: Any, model: Any, *, threshold: Any = None) -> Any:
    folders = ["--model-dir", f"{INPUT}/model", "--test-dir", f"{INPUT}/test", "--output-dir", f"{OUTPUT}/evaluation"]
    gate = [] if threshold is None else ["--threshold", threshold.to_string()]
    return sdk.ProcessingStep(
        name=name,
        step_args=_processor(plan, EVALUATE).run(
            inputs=[_code(plan, EVALUATE), _input("model", model), _input("test", _produced(preprocess, "test"))],
            # As it is written, not at the job's end: the report of a model that is rejected is there to be read.
            outputs=[_output(plan, name, "evaluation", upload="Continuous")],
            arguments=folders + gate,
        ),
        property_files=[
            sdk.PropertyFile(name="EvaluationReport", output_name="evaluation", path=settings.EVALUATION_REPORT)
        ],
        cache_config=_cache(),
    )


def _train(plan: Plan, preprocess: Any) -> Any:
    return sdk.TrainingStep(
        name="Train",
        step_args=_trainer(plan).train(input_data_config=_channels(preprocess), wait=False, logs=False),
        cache_config=_cache(),
    )


def _tune(plan: Plan, tuning: Tuning, preprocess: Any) -> Any:
    tuner = sdk.HyperparameterTuner(
        model_trainer=_trainer(plan),
        objective_metric_name=settings.OBJECTIVE,
        hyperparameter_ranges={name: _range(values) for name, values in RANGES.items()},
        max_jobs=tuning.jobs,
        max_parallel_jobs=tuning.parallel_jobs,
        random_seed=settings.SEED,
    )
    return sdk.TuningStep(
        name="Tune",
        step_args=tuner.tune(inputs=_channels(preprocess), wait=False),
        cache_config=_cache(),
    )


def _register(name: str, plan: Plan, model: Any, reports: tuple[Any, Any]) -> Any:
    preprocess, evaluate = reports
    report = sdk.Join(on="/", values=[_produced(evaluate, "evaluation"), settings.EVALUATION_REPORT])
    quality = sdk.ModelQuality(statistics=sdk.MetricsSource(content_type="application/json", s3_uri=report))
    arguments = _builder(plan, model).register(
        model_package_group_name=plan.model_package_group_name,
        content_types=settings.CONTENT_TYPES,
        response_types=settings.CONTENT_TYPES,
        inference_instances=settings.INFERENCE_INSTANCES,
        transform_instances=settings.TRANSFORM_INSTANCES,
        model_metrics=sdk.ModelMetrics(model_quality=quality),
        approval_status=plan.parameters.model_approval_status,
        description=settings.MODEL_DESCRIPTION,
        metadata_properties=sdk.MetadataProperties(
            commit_id=plan.parameters.commit_id, repository=plan.parameters.repository
        ),
        customer_metadata_properties={**plan.metadata, **_lineage(plan, preprocess, evaluate)},
    )
    return sdk.ModelStep(name=name, step_args=arguments, depends_on=[evaluate])


def _lineage(plan: Plan, preprocess: Any, evaluate: Any) -> dict[str, Any]:
    """Return what a model is made of and how good it is, for whoever finds it in the registry."""
    files = sorted({file for script in (PREPROCESS, TRAIN, EVALUATE) for file in script.files})
    read = sdk.JsonGet(step_name=preprocess.name, property_file="InputReport", json_path=settings.INPUT_HASH_PATH)
    return {
        "InputDataHash": read.to_string(),
        "CodeHash": hash_sources(settings.SCRIPTS, files),
        "RocAuc": _auc(evaluate).to_string(),
        "RocAucThreshold": plan.parameters.roc_auc_threshold.to_string(),
        "LabelledRows": sdk.Join(on="/", values=[_produced(preprocess, "labelled"), settings.LABELLED_ROWS]),
    }


def _create_model(name: str, plan: Plan, model: Any, *, after: Any = None) -> Any:
    depends_on = None if after is None else [after]
    return sdk.ModelStep(name=name, step_args=_builder(plan, model).build(), depends_on=depends_on)


def _processor(plan: Plan, script: Script) -> Any:
    return sdk.Processor(
        role=plan.role,
        image_uri=plan.image(script),
        entrypoint=["python3", f"{INPUT}/code/{script.program}"],
        instance_type=plan.parameters.processing_instance_type,
        instance_count=plan.parameters.processing_instance_count,
        volume_size_in_gb=settings.VOLUME_GB,
        max_runtime_in_seconds=settings.PROCESSING_SECONDS,
        network_config=network.of_processing(),
        sagemaker_session=plan.session,
    )


def _trainer(plan: Plan) -> Any:
    """Return a trainer of its own for each step: the tuning step writes into the one that it is given."""
    return sdk.ModelTrainer(
        role=plan.role,
        training_image=plan.image(TRAIN),
        hyperparameters={
            **{name: str(value) for name, value in UNTUNED.items()},
            "sagemaker_program": TRAIN.program,
            "sagemaker_submit_directory": plan.training_code,
        },
        compute=sdk.Compute(
            instance_type=plan.parameters.training_instance_type,
            instance_count=plan.parameters.training_instance_count,
            volume_size_in_gb=settings.VOLUME_GB,
        ),
        output_data_config=sdk.OutputDataConfig(s3_output_path=plan.uploads.uri(plan.models)),
        stopping_condition=sdk.StoppingCondition(max_runtime_in_seconds=settings.TRAINING_SECONDS),
        networking=network.of_training_and_models(),
        sagemaker_session=plan.session,
    )


def _builder(plan: Plan, model: Any) -> Any:
    return sdk.ModelBuilder(
        s3_model_data_url=model,
        image_uri=plan.image(TRAIN),
        env_vars=dict(settings.SERVING),
        role_arn=plan.role,
        network=network.of_training_and_models(),
        sagemaker_session=plan.session,
    )


def _cache() -> Any:
    return sdk.CacheConfig(enable_caching=True, expire_after=settings.CACHED_FOR)


def _code(plan: Plan, script: Script) -> Any:
    return _input("code", upload_sources(settings.SCRIPTS, script.files, plan.uploads))


def _input(name: str, uri: Any) -> Any:
    source = sdk.ProcessingS3Input(
        s3_uri=uri, local_path=f"{INPUT}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return sdk.ProcessingInput(input_name=name, s3_input=source)


def _output(plan: Plan, step: str, name: str, *, upload: str = "EndOfJob") -> Any:
    run = sdk.ExecutionVariables.PIPELINE_EXECUTION_ID
    uri = sdk.Join(on="/", values=[plan.uploads.uri(f"{plan.uploads.prefix}/runs"), run, step, name])
    target = sdk.ProcessingS3Output(s3_uri=uri, local_path=f"{OUTPUT}/{name}", s3_upload_mode=upload)
    return sdk.ProcessingOutput(output_name=name, s3_output=target)


def _produced(step: Any, name: str) -> Any:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _channels(preprocess: Any) -> list[Any]:
    return [sdk.InputData(channel_name=name, data_source=_produced(preprocess, name)) for name in CHANNELS]


def _auc(evaluate: Any) -> Any:
    return sdk.JsonGet(step_name=evaluate.name, property_file="EvaluationReport", json_path=settings.AUC_PATH)


def _range(values: Range) -> Any:
    kind = sdk.IntegerParameter if values.kind == "Integer" else sdk.ContinuousParameter
    return kind(values.low, values.high, scaling_type=values.scaling)
