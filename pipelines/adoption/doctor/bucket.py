"""The bucket of the template: there, in this region, open to Studio, and with the template in it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from pipelines.adoption.account import Account
from pipelines.adoption.doctor.finding import Finding, ok, problem
from pipelines.adoption.doctor.subject import Subject
from pipelines.adoption.installation import published

ORIGIN = "https://*.sagemaker.aws"
METHODS = ("POST", "PUT", "GET", "HEAD", "DELETE")
CORS = {
    "CORSRules": [
        {
            "AllowedOrigins": [ORIGIN],
            "AllowedMethods": list(METHODS),
            "AllowedHeaders": ["*"],
            "ExposeHeaders": [
                "ETag",
                "x-amz-delete-marker",
                "x-amz-id-2",
                "x-amz-request-id",
                "x-amz-server-side-encryption",
                "x-amz-version-id",
            ],
        }
    ]
}


def check_bucket(subject: Subject) -> Iterator[Finding]:
    """Look for the bucket, its region and its CORS rules."""
    account, bucket = subject.account, subject.bucket
    region = _region(account, bucket)
    again = (subject.uninstall, subject.install)
    if region is None:
        yield problem("template bucket", f"s3://{bucket} does not exist", *again)
    elif region != account.region:
        says = f"s3://{bucket} is in {region}, and projects are made in {account.region}"
        yield problem("template bucket", says, *again)
    else:
        yield ok("template bucket", f"s3://{bucket} in {region}")
        yield _cors(account, bucket)


def check_template(subject: Subject) -> Iterator[Finding]:
    """Look for the template, and whether Studio may show it."""
    account, bucket = subject.account, subject.bucket
    found = published.digest(account, bucket)
    where = f"s3://{bucket}/{published.KEY}"
    if found is None:
        yield problem("template", f"{where} does not exist", subject.install)
    elif found != subject.source.digest:
        yield problem("template", f"{where} is another one than {subject.source.path}", subject.install)
    else:
        yield ok("template", where)
    if found is not None:
        yield _visibility(account, bucket)


def _region(account: Account, bucket: str) -> str | None:
    try:
        found = account.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account.number)
    except ClientError as error:
        headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return None
        if error.response["Error"]["Code"] == "301" and "x-amz-bucket-region" in headers:
            return str(headers["x-amz-bucket-region"])
        raise
    return str(found.get("BucketRegion") or account.region)


def _cors(account: Account, bucket: str) -> Finding:
    fix = f"aws s3api put-bucket-cors --bucket {bucket} --cors-configuration {shlex.quote(json.dumps(CORS))}"
    try:
        rules = account.client("s3").get_bucket_cors(Bucket=bucket, ExpectedBucketOwner=account.number)["CORSRules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
            raise
        return problem("bucket CORS", f"s3://{bucket} has none: Studio cannot read the template", fix)
    if not any(_lets_studio_in(rule) for rule in rules):
        return problem("bucket CORS", f"no rule of s3://{bucket} lets {ORIGIN} {', '.join(METHODS)}", fix)
    return ok("bucket CORS", f"{ORIGIN} may read")


def _lets_studio_in(rule: dict[str, Any]) -> bool:
    return bool({ORIGIN, "*"} & set(rule["AllowedOrigins"])) and set(METHODS) <= set(rule["AllowedMethods"])


def _visibility(account: Account, bucket: str) -> Finding:
    ((key, value),) = published.VISIBLE.items()
    if published.tags(account, bucket).get(key) == value:
        return ok("template tag", f"{key}={value}")
    tagging = shlex.quote(json.dumps({"TagSet": [{"Key": key, "Value": value}]}))
    return problem(
        "template tag",
        f"the template has no tag {key}={value}: Studio does not show it",
        f"aws s3api put-object-tagging --bucket {bucket} --key {published.KEY} --tagging {tagging}",
    )
