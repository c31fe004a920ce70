"""The SageMaker SDK's PipelineSession on the local session: its bucket, its uploads, its role."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pipelines.local
from pipelines.local.boto_session import LocalSession
from pipelines.local.services import ACCOUNT

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
DEFAULT_BUCKET = f"sagemaker-eu-west-1-{ACCOUNT}"


@pytest.fixture
def boto(tmp_path: Path) -> LocalSession:
    return pipelines.local.session(tmp_path / "root", region="eu-west-1")


@pytest.fixture
def sdk(boto: LocalSession) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here: it takes seconds, and warns.
        from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: PLC0415

        yield PipelineSession(boto_session=boto, sagemaker_config=NO_TELEMETRY)


def test_the_default_bucket_is_made_once(sdk: Any, boto: LocalSession) -> None:
    assert sdk.default_bucket() == DEFAULT_BUCKET
    assert type(sdk)(boto_session=boto, sagemaker_config=NO_TELEMETRY).default_bucket() == DEFAULT_BUCKET
    assert [bucket["Name"] for bucket in boto.client("s3").list_buckets()["Buckets"]] == [DEFAULT_BUCKET]


def test_files_go_up_and_come_back(sdk: Any, boto: LocalSession, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (data / "claims.csv").write_text("a,b")
    (data / "sub" / "large.bin").write_bytes(bytes(9 << 20))
    assert sdk.upload_data(str(data), key_prefix="in") == f"s3://{DEFAULT_BUCKET}/in"
    assert sdk.list_s3_files(DEFAULT_BUCKET, "in") == ["in/claims.csv", "in/sub/large.bin"]
    assert sdk.read_s3_file(DEFAULT_BUCKET, "in/claims.csv") == "a,b"
    sdk.download_data(str(tmp_path / "back"), DEFAULT_BUCKET, "in/claims.csv")
    assert (tmp_path / "back" / "claims.csv").read_text() == "a,b"
    assert (boto.root / "s3" / DEFAULT_BUCKET / "in" / "sub" / "large.bin").stat().st_size == 9 << 20


def test_the_execution_role_is_this_machines(sdk: Any) -> None:
    from sagemaker.core.helper.session_helper import get_execution_role  # noqa: PLC0415 -- as above

    assert get_execution_role(sdk) == f"arn:aws:iam::{ACCOUNT}:role/sagemaker-local"
