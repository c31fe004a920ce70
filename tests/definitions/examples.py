"""Pipelines as the public examples write them, made with the SDK."""

from typing import Any

from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionIn,
    ConditionLessThanOrEqualTo,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import (
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.pipeline_experiment_config import PipelineExperimentConfig
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep, TuningStep
from sagemaker.train.configs import InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

from tests.definitions.parts import (
    PROCESSING,
    channel,
    model,
    processing_input,
    processing_output,
    processor,
    quality_metrics,
    register,
    script_mode,
    trainer,
)
from tests.definitions.sdk import BUCKET, XGBOOST_IMAGE

CODE = f"s3://{BUCKET}/code"
WEEK = CacheConfig(enable_caching=True, expire_after="P7D")


def abalone(session: Any) -> Pipeline:
    """Preprocess, train with the built-in XGBoost, evaluate; register and create a model, or fail."""
    count = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    data = ParameterString(name="InputData", default_value=f"s3://{BUCKET}/abalone/abalone.csv")
    threshold = ParameterFloat(name="MseThreshold", default_value=6.0)
    approval = ParameterString(
        name="ModelApprovalStatus",
        default_value="PendingManualApproval",
        enum_values=["PendingManualApproval", "Approved", "Rejected"],
    )
    process = _abalone_process(session, data, count)
    train = _abalone_train(session, process)
    evaluate, report = _abalone_evaluate(session, process, train)
    artifact = train.properties.ModelArtifacts.S3ModelArtifacts
    metrics = quality_metrics(evaluate, "evaluation")
    package = register(session, artifact, group="AbaloneModelPackageGroup", approval=approval, metrics=metrics)
    fail = FailStep(
        name="AbaloneMSEFail",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", threshold.to_string()]),
    )
    condition = ConditionStep(
        name="AbaloneMSECond",
        conditions=[ConditionLessThanOrEqualTo(left=_mse(evaluate, report), right=threshold)],
        if_steps=[
            ModelStep(name="AbaloneRegisterModel", step_args=package),
            ModelStep(name="AbaloneCreateModel", step_args=model(session, artifact).build()),
        ],
        else_steps=[fail],
    )
    return Pipeline(
        name="AbalonePipeline",
        parameters=[count, data, threshold, approval],
        steps=[process, train, evaluate, condition],
        sagemaker_session=session,
    )


def _abalone_process(session: Any, data: Any, count: Any) -> ProcessingStep:
    arguments = processor(session, "abalone-process", count=count).run(
        code=f"{CODE}/preprocess.py",
        inputs=[processing_input("input-1", data, "input")],
        outputs=[processing_output(name) for name in ("train", "validation", "test")],
        arguments=["--input-data", data, "--seed", "42"],
    )
    return ProcessingStep(
        name="PreprocessAbaloneData", step_args=arguments, cache_config=CacheConfig(enable_caching=True)
    )


def _abalone_train(session: Any, process: Any) -> TrainingStep:
    xgboost = trainer(
        session,
        "AbaloneTrain",
        {"objective": "reg:linear", "num_round": 50, "max_depth": 5, "eta": 0.2, "subsample": 0.7},
    )
    arguments = xgboost.train(input_data_config=[channel("train", process), channel("validation", process)], wait=False)
    retry = SageMakerJobStepRetryPolicy(exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], max_attempts=3)
    throttled = StepRetryPolicy(exception_types=[StepExceptionTypeEnum.THROTTLING], expire_after_mins=10)
    return TrainingStep(
        name="TrainAbaloneModel", step_args=arguments, cache_config=WEEK, retry_policies=[retry, throttled]
    )


def _abalone_evaluate(session: Any, process: Any, train: Any) -> tuple[ProcessingStep, PropertyFile]:
    report = PropertyFile(name="AbaloneEvaluationReport", output_name="evaluation", path="evaluation.json")
    outputs = process.properties.ProcessingOutputConfig.Outputs
    arguments = processor(session, "abalone-eval", image=XGBOOST_IMAGE).run(
        code=f"{CODE}/evaluate.py",
        inputs=[
            processing_input("model", train.properties.ModelArtifacts.S3ModelArtifacts, "model"),
            processing_input("test", outputs["test"].S3Output.S3Uri, "test"),
        ],
        outputs=[processing_output("evaluation")],
    )
    step = ProcessingStep(name="EvaluateAbaloneModel", step_args=arguments, property_files=[report])
    return step, report


def _mse(evaluate: Any, report: PropertyFile) -> JsonGet:
    return JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")


def tuning(session: Any) -> Pipeline:
    """Preprocess, tune a script, evaluate the best model; register it when several conditions hold."""
    enabled = ParameterBoolean(name="RegisterEnabled", default_value=True)
    stage = ParameterString(name="Stage")
    threshold = ParameterFloat(name="RocAucThreshold", default_value=0.85)
    process = _tuning_process(session)
    tune = _tune(session, process)
    evaluate, report = _tuning_evaluate(session, process, tune)
    auc = JsonGet(
        step_name="Evaluate", property_file=report, json_path="binary_classification_metrics['roc-auc'][0].value"
    )
    package = register(
        session,
        tune.get_top_model_s3_uri(top_k=0, s3_bucket=BUCKET, prefix="Tune"),
        group="TunedModels",
        approval="PendingManualApproval",
        metrics=quality_metrics(evaluate, "evaluation"),
    )
    gate = ConditionStep(
        name="Gate",
        display_name="Is it good enough?",
        conditions=[
            ConditionGreaterThanOrEqualTo(left=auc, right=threshold),
            ConditionOr(conditions=[ConditionEquals(enabled, True), ConditionGreaterThan(auc, 0.99)]),
            ConditionNot(ConditionIn(value=stage, in_values=["dev", "sandbox"])),
        ],
        if_steps=[ModelStep(name="Register", step_args=package)],
        else_steps=[],
    )
    outcome = Join(on="; ", values=["passed", gate.properties.Outcome, ExecutionVariables.START_DATETIME])
    failed = FailStep(name="Rejected", error_message=outcome, depends_on=[gate])
    return Pipeline(
        name="TuningPipeline",
        parameters=[enabled, stage, threshold],
        steps=[process, tune, evaluate, gate, failed],
        pipeline_experiment_config=PipelineExperimentConfig(
            Join(on="-", values=["fraud", ExecutionVariables.PIPELINE_NAME]), ExecutionVariables.PIPELINE_EXECUTION_ID
        ),
        sagemaker_session=session,
    )


def _tuning_process(session: Any) -> ProcessingStep:
    target = Join(on="/", values=["s3:/", BUCKET, ExecutionVariables.PIPELINE_EXECUTION_ID, "data"])
    arguments = processor(session, "tuning-process").run(
        code=f"{CODE}/preprocess.py",
        outputs=[processing_output(name, target) for name in ("train", "validation", "test")],
    )
    return ProcessingStep(name="Preprocess", step_args=arguments, cache_config=WEEK)


def _tune(session: Any, process: Any) -> TuningStep:
    tuner = HyperparameterTuner(
        model_trainer=trainer(session, "Tune", script_mode(num_round=100, objective="binary:logistic")),
        objective_metric_name="validation:auc",
        metric_definitions=[{"Name": "validation:auc", "Regex": "validation-auc:([0-9.]+)"}],
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.01, 0.5, scaling_type="Logarithmic"),
            "max_depth": IntegerParameter(2, 10),
            "grow_policy": CategoricalParameter(["depthwise", "lossguide"]),
        },
        max_jobs=4,
        max_parallel_jobs=2,
        random_seed=7,
    )
    arguments = tuner.tune(inputs=[channel("train", process), channel("validation", process)], wait=False)
    return TuningStep(name="Tune", step_args=arguments, cache_config=WEEK, description="Four trials")


def _tuning_evaluate(session: Any, process: Any, tune: Any) -> tuple[ProcessingStep, PropertyFile]:
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    outputs = process.properties.ProcessingOutputConfig.Outputs
    objective = tune.properties.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value
    arguments = processor(session, "tuning-eval", image=XGBOOST_IMAGE).run(
        code=f"{CODE}/evaluate.py",
        inputs=[
            processing_input("model", tune.get_top_model_s3_uri(top_k=0, s3_bucket=BUCKET, prefix="Tune"), "model"),
            processing_input("test", outputs["test"].S3Output.S3Uri, "test"),
        ],
        outputs=[processing_output("evaluation")],
        arguments=["--model-dir", f"{PROCESSING}/model", "--objective", objective.to_string()],
    )
    return ProcessingStep(name="Evaluate", step_args=arguments, property_files=[report]), report


def source_code(session: Any) -> Pipeline:
    """Train in the SDK's source-code mode and in script mode, and clean up whatever came of it."""
    folder = InputData(channel_name="train", data_source=f"s3://{BUCKET}/train")
    code = SourceCode(source_dir=f"s3://{BUCKET}/source/sourcedir.tar.gz", entry_script="train.py")
    first = TrainingStep(
        name="Source-Code",
        step_args=trainer(session, "source-code", {"epochs": 3, "batch-size": 32}, source_code=code).train(
            input_data_config=[folder], wait=False
        ),
    )
    second = TrainingStep(
        name="Script_Mode",
        step_args=trainer(session, "script-mode", script_mode(epochs=3)).train(input_data_config=[folder], wait=False),
        depends_on=[first],
    )
    metric = first.properties.FinalMetricDataList["validation:auc"].Value
    size = first.properties.HyperParameters["batch-size"]
    report = processor(session, "report").run(
        code=f"{CODE}/report.py", arguments=["--auc", metric.to_string(), "--batch-size", size]
    )
    return Pipeline(
        name="SourceCodePipeline",
        steps=[
            first,
            second,
            ProcessingStep(name="Report", step_args=report, depends_on=["Script_Mode"]),
            FailStep(
                name="Failed",
                error_message="Script mode failed.",
                depends_on=[StepDependency(second, TriggerCondition.FAILED)],
            ),
        ],
        sagemaker_session=session,
    )


def batch(session: Any) -> Pipeline:
    """Create a model, send claims through it, and report on the scores; the id is kept beside each."""
    artifact = ParameterString(name="Model", default_value=f"s3://{BUCKET}/model/model.tar.gz")
    create = ModelStep(name="Create", step_args=model(session, artifact).build())
    transformer = Transformer(
        model_name=create.properties.ModelName,
        instance_count=1,
        instance_type="ml.m5.xlarge",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        max_payload=2,
        max_concurrent_transforms=2,
        env={"MODE": "fast"},
        sagemaker_session=session,
    )
    arguments = transformer.transform(
        f"s3://{BUCKET}/claims/",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
    )
    score = TransformStep(name="Score", step_args=arguments, cache_config=WEEK)
    scores = score.properties.TransformOutput.S3OutputPath
    report = processor(session, "report").run(
        code=f"{CODE}/report.py", inputs=[processing_input("scores", scores, "scores")]
    )
    return Pipeline(
        name="BatchPipeline",
        parameters=[artifact],
        steps=[create, score, ProcessingStep(name="Report", step_args=report)],
        sagemaker_session=session,
    )


EXAMPLES = {"abalone": abalone, "tuning": tuning, "source_code": source_code, "batch": batch}
