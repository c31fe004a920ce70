"""What the notebooks share: the SageMaker that 0.0 chose, the data that 1.1 uploaded, and what earlier jobs made."""

import atexit
import hashlib
import io
import json
import os
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from pipelines.command_line import AWS_INTERVAL, LOCAL_INTERVAL, LOCAL_ROLE
from pipelines.delivery.attention import Attention
from pipelines.delivery.followed import read_run
from pipelines.delivery.places import Places
from pipelines.delivery.progress import Lines
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.gather import gather
from pipelines.delivery.run import Site, complete
from pipelines.delivery.tracking import Tracking, local_tracking
from pipelines.delivery.tracking.opening import quiet_mlflow
from pipelines.delivery.upload import Destination, upload_archive, upload_data, upload_sources
from pipelines.fraud import dataset, sdk, settings
from pipelines.fraud.hyperparameters import UNTUNED
from pipelines.fraud.schema import read_schema
from pipelines.local import session as local_session
from pipelines.quiet_sdk import NO_TELEMETRY_FILE, USER_CONFIG

HERE = Path(__file__).parent
CHOICE = HERE / "workshop.json"
ROOT = HERE / ".sagemaker-local"
PROCESSING = "/opt/ml/processing"
PREPROCESS_OUTPUTS = ("train", "validation", "test", "schema", "labelled", "input")

# Neither the SDK nor MLflow sends usage data, whatever a notebook makes of them.
os.environ.setdefault(USER_CONFIG, str(NO_TELEMETRY_FILE))
quiet_mlflow()
# Each step that is made says that its session does not wait, which is what it is for.
warnings.filterwarnings("ignore", message="Running within a PipelineSession")
# MLflow has a library with it that misses another one, which it does not need either.
warnings.filterwarnings("ignore", message="IProgress not found")


@dataclass(frozen=True)
class Place:
    """A SageMaker to work with: how it is reached, the role of its jobs, and where experiments are recorded."""

    site: Site
    role: str
    tracking: Tracking | None
    own_bucket: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is this machine."""
        return self.site.places.root is not None

    @property
    def session(self) -> boto3.Session:
        """The boto3 session, whose clients know no difference between this machine and AWS."""
        return self.site.session

    @cached_property
    def sdk_session(self) -> Any:
        """The SDK's session, for jobs alone."""
        # After pipelines.fraud.sdk, which lets it be imported without a region.
        from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415

        return Session(boto_session=self.session, default_bucket=self.own_bucket)

    @cached_property
    def pipeline_session(self) -> Any:
        """The SDK's session that records requests for the steps of a pipeline instead of sending them."""
        return sdk.pipeline_session(self.session, region=None, bucket=self.bucket)

    @cached_property
    def bucket(self) -> str:
        """The bucket that was chosen, or SageMaker's default one, which is made when there is none."""
        return str(self.sdk_session.default_bucket())

    @property
    def uploads(self) -> Destination:
        """Where data and code are uploaded to: the bucket and a prefix in it."""
        return Destination(self.session, self.bucket, settings.BASE_JOB_PREFIX)

    @property
    def waiting(self) -> Any:
        """How a boto3 waiter waits here: it looks every tenth of a second, in AWS every 15, for two hours at most."""
        return {"Delay": self.site.interval, "MaxAttempts": round(2 * 60 * 60 / self.site.interval)}

    def image(self, script: settings.Script) -> str:
        """Return the URI of the container image that runs a script."""
        return str(sdk.image_uris.retrieve(script.framework, self.session.region_name, version=script.version))


def choose(name: str, *, role: str | None = None, bucket: str | None = None, tracking: str | None = None) -> Place:
    """Choose where all notebooks work, `local` or `aws`, and remember it.

    The options are for AWS: the jobs' role is that of this notebook unless given, the bucket SageMaker's default one;
    tracking is the ARN of an MLflow server, if there is one.
    """
    if name not in ("local", "aws"):
        raise ValueError(f"{name!r} is no place to work: choose 'local' or 'aws'")
    _remember({**_choice(), "place": name, "role": role, "bucket": bucket, "tracking": tracking})
    return place()


def place() -> Place:
    """Return the chosen place: this machine, unless 0.0 has chosen AWS."""
    # As in sdk_session.
    from sagemaker.core.utils.utils import SageMakerClient  # noqa: PLC0415

    choice = _choice()
    chosen = _aws(choice) if choice.get("place") == "aws" else _local()
    # The SDK's job objects ask the session that it was given first.
    SageMakerClient(session=chosen.session)
    return chosen


def _local() -> Place:
    session = local_session(ROOT, warm_up=True)
    atexit.register(session.close)
    # The SDK makes some clients that nothing uses; they want a region, and would look for credentials for a second.
    os.environ.setdefault("AWS_DEFAULT_REGION", session.region_name)
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    site = Site(
        session,
        LOCAL_INTERVAL,
        stops_on_interrupt=True,
        places=Places(session.root),
        explain=session.sagemaker.cache_reasons,
        endpoint_url=session.sagemaker.endpoint_url,
    )
    return Place(site, LOCAL_ROLE, local_tracking(session.root))


def _aws(choice: dict[str, Any]) -> Place:
    session = boto3.Session()
    role = choice["role"] or str(sdk.get_execution_role())
    tracking = Tracking(choice["tracking"]) if choice["tracking"] else None
    return Place(Site(session, AWS_INTERVAL, stops_on_interrupt=False), role, tracking, choice["bucket"])


def use_data(uri: str) -> None:
    """Remember the S3 prefix of the data that all notebooks work with."""
    _remember({**_choice(), "data": uri})


def data(here: Place) -> str:
    """Return the S3 prefix of the data: what 1.1 uploaded to this place, or else sample data, uploaded now.

    ValueError says that the schema is of other data.
    """
    chosen = str(_choice().get("data", ""))
    bucket, _, prefix = chosen.removeprefix("s3://").partition("/")
    # The choice may be of another place, or older than what is kept here.
    if bucket == here.bucket and here.uploads.client.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]:
        return chosen
    if not dataset.fits(read_schema()):
        raise ValueError(
            "the sample data do not fit this copy's schema: upload your own in 1.1, or do the workshop in a fresh copy"
        )
    with TemporaryDirectory() as folder:
        dataset.write(Path(folder))
        return upload_data(Path(folder), here.uploads)


def _choice() -> dict[str, Any]:
    return dict(json.loads(CHOICE.read_text(encoding="utf-8"))) if CHOICE.exists() else {}


def _remember(choice: dict[str, Any]) -> None:
    partial = CHOICE.with_suffix(".partial")
    partial.write_text(json.dumps(choice, indent=2) + "\n", encoding="utf-8")
    partial.replace(CHOICE)


def prepared(here: Place) -> dict[str, str]:
    """Return the S3 URIs of what Preprocess makes of the data, by name: train, validation, test, schema, ...

    A job alone, as 2.1 runs it, made them, once for the same data and code.
    """
    code = upload_sources(settings.SCRIPTS, settings.PREPROCESS.files, here.uploads)
    name = f"workshop-preprocess-{_short_hash(data(here), code)}"
    client = here.site.client
    done = client.list_processing_jobs(NameContains=name, StatusEquals="Completed")["ProcessingJobSummaries"]
    job = done[0]["ProcessingJobName"] if done else _preprocess(here, name, code)
    outputs = client.describe_processing_job(ProcessingJobName=job)["ProcessingOutputConfig"]["Outputs"]
    return {output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs}


def _preprocess(here: Place, name: str, code: str) -> str:
    job = unique(name)
    processor = sdk.Processor(
        role=here.role,
        image_uri=here.image(settings.PREPROCESS),
        entrypoint=["python3", f"{PROCESSING}/input/code/preprocess.py"],
        instance_type=settings.PROCESSING_INSTANCE_TYPE,
        instance_count=1,
        sagemaker_session=here.sdk_session,
    )
    processor.run(
        inputs=[_input("code", code), _input("data", data(here))],
        outputs=[_output(here, job, output) for output in PREPROCESS_OUTPUTS],
        arguments=["--input-dir", f"{PROCESSING}/input/data", "--output-dir", f"{PROCESSING}/output"],
        job_name=job,
        wait=False,
        logs=False,
    )
    waiter = here.site.client.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=job, WaiterConfig=here.waiting)
    return job


def _input(name: str, uri: str) -> Any:
    source = sdk.ProcessingS3Input(
        s3_uri=uri, local_path=f"{PROCESSING}/input/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return sdk.ProcessingInput(input_name=name, s3_input=source)


def _output(here: Place, job: str, name: str) -> Any:
    target = sdk.ProcessingS3Output(
        s3_uri=here.uploads.uri(f"{here.uploads.prefix}/workshop/{job}/{name}"),
        local_path=f"{PROCESSING}/output/{name}",
        s3_upload_mode="EndOfJob",
    )
    return sdk.ProcessingOutput(output_name=name, s3_output=target)


def trained(here: Place) -> str:
    """Return the S3 URI of a model that a training job alone made of the prepared data, with what Train uses untuned.

    As with prepared, the same data and code are trained once.
    """
    sets, code = prepared(here), upload_archive(settings.SCRIPTS, settings.TRAIN.files, here.uploads)
    name = f"workshop-train-{_short_hash(sets['train'], code)}"
    client = here.site.client
    done = client.list_training_jobs(NameContains=name, StatusEquals="Completed")["TrainingJobSummaries"]
    job = done[0]["TrainingJobName"] if done else _train(here, name, sets, code)
    return client.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]


def _train(here: Place, name: str, sets: dict[str, str], code: str) -> str:
    script = {"sagemaker_program": settings.TRAIN.program, "sagemaker_submit_directory": code}
    trainer = sdk.ModelTrainer(
        role=here.role,
        training_image=here.image(settings.TRAIN),
        hyperparameters={**{name: str(value) for name, value in UNTUNED.items()}, **script},
        compute=sdk.Compute(instance_type=settings.TRAINING_INSTANCE_TYPE, instance_count=1),
        output_data_config=sdk.OutputDataConfig(s3_output_path=here.uploads.uri(f"{here.uploads.prefix}/workshop")),
        base_job_name=name,
        sagemaker_session=here.sdk_session,
    )
    channels = [sdk.InputData(channel_name=name, data_source=sets[name]) for name in ("train", "validation", "schema")]
    trainer.train(input_data_config=channels, wait=False, logs=False)
    job = str(trainer._latest_training_job.training_job_name)
    waiter = here.site.client.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=job, WaiterConfig=here.waiting)
    return job


def unique(name: str) -> str:
    """Return a name for a job that none had before."""
    return f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"


def _short_hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


def facts(here: Place, execution_arn: str) -> Facts:
    """Return all that an execution's report says, when it has ended: steps, graph, quality, trials, verdict."""
    run = read_run(here.site.client, execution_arn)
    return gather(here.site, complete(here.site, execution_arn, run, Lines(io.StringIO()), Attention()))
