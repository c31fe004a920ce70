"""S3's operations on buckets."""

from pipelines.local.api.s3_call import S3Call, empty_response, iso_date, xml_response
from pipelines.local.api.wire import Response
from pipelines.local.api.xml_text import read_xml
from pipelines.local.errors import ServiceError
from pipelines.local.store.keys import no_such_bucket

FIRST_REGION = "us-east-1"


def create_bucket(call: S3Call) -> Response:
    """CreateBucket; as in AWS, one's own bucket may be created again in us-east-1 only."""
    _check_location(call)
    try:
        call.store.create_bucket(call.bucket)
    except ServiceError as error:
        if error.code != "BucketAlreadyOwnedByYou" or call.region != FIRST_REGION:
            raise
    return empty_response(headers={"location": f"/{call.bucket}"})


def head_bucket(call: S3Call) -> Response:
    """HeadBucket."""
    _require(call)
    return empty_response(headers={"x-amz-bucket-region": call.region})


def delete_bucket(call: S3Call) -> Response:
    """DeleteBucket."""
    call.store.delete_bucket(call.bucket)
    return empty_response(204)


def list_buckets(call: S3Call) -> Response:
    """ListBuckets, all of them on one page."""
    buckets = [
        {"Name": bucket.name, "CreationDate": iso_date(bucket.created), "BucketRegion": call.region}
        for bucket in call.store.buckets()
        if bucket.name.startswith(call.query("prefix"))
    ]
    return xml_response(
        "ListAllMyBucketsResult",
        {"Owner": {"ID": call.account, "DisplayName": "local"}, "Buckets": {"Bucket": buckets}},
    )


def get_bucket_location(call: S3Call) -> Response:
    """GetBucketLocation; every bucket is in the session's region."""
    _require(call)
    return xml_response("LocationConstraint", {} if call.region == FIRST_REGION else call.region)


def _require(call: S3Call) -> None:
    if not call.store.has_bucket(call.bucket):
        raise no_such_bucket(call.bucket)


def _check_location(call: S3Call) -> None:
    body = call.request.content()
    wanted = (read_xml(body).findtext("LocationConstraint") if body else None) or FIRST_REGION
    if call.region not in {wanted, FIRST_REGION}:
        raise ServiceError(
            "IllegalLocationConstraintException",
            f"a client of {call.region} cannot create a bucket in {wanted};"
            f" give CreateBucketConfiguration={{'LocationConstraint': '{call.region}'}}",
        )
