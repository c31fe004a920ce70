"""What a package tells of its data and its code holds."""

from pathlib import Path

import pytest

import preprocess
from pipelines.delivery.upload import Destination, upload_data
from pipelines.fraud.dataset import write
from pipelines.fraud.settings import BASE_JOB_PREFIX
from tests.fraud.compiling import BUCKET, Account


def test_the_hash_of_what_was_read_is_the_one_that_the_upload_is_called_by(account: Account, tmp_path: Path) -> None:
    write(tmp_path, rows=60)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.txt").write_text("x")
    uri = upload_data(tmp_path, Destination(account.session, BUCKET, BASE_JOB_PREFIX))
    assert uri == f"s3://{BUCKET}/{BASE_JOB_PREFIX}/data/{preprocess.hash_files(tmp_path)}/"


def test_other_data_have_another_hash(tmp_path: Path) -> None:
    write(tmp_path, rows=60)
    before = preprocess.hash_files(tmp_path)
    (tmp_path / "claims.csv").rename(tmp_path / "claims-1.csv")
    assert preprocess.hash_files(tmp_path) != before


def test_a_bucket_that_is_missing_is_refused_and_not_made(account: Account) -> None:
    with pytest.raises(ValueError, match=r"default_bucket .*: HeadBucket answers 404; make the bucket"):
        account.pipeline(default_bucket="no-such-bucket-of-ours")
    assert [bucket["Name"] for bucket in account.client.list_buckets()["Buckets"]] == [BUCKET]
