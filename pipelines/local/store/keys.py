"""Names in S3: which bucket names and keys this machine can keep as folders and files."""

import re

from pipelines.local.errors import ServiceError, ValidationError

BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
MAX_KEY_BYTES = 1024
MAX_PART_BYTES = 255
S3_SCHEME = "s3://"


def parse_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of an S3 URI; the key may be empty.

    Raises:
        ValidationError: it is not an S3 URI.
    """
    bucket, _, key = uri.removeprefix(S3_SCHEME).partition("/")
    if not uri.startswith(S3_SCHEME) or not bucket:
        raise ValidationError(f"{uri!r} is not an S3 URI; write s3://<bucket>/<key>")
    return bucket, key


def is_bucket_name(bucket: str) -> bool:
    """Say whether S3 gives such a name to a bucket."""
    return BUCKET_NAME.fullmatch(bucket) is not None


def check_bucket_name(bucket: str) -> None:
    """Refuse a name that S3 gives to no bucket.

    Raises:
        ServiceError: InvalidBucketName.
    """
    if not is_bucket_name(bucket):
        raise ServiceError(
            "InvalidBucketName",
            f"{bucket!r} is not a bucket name; use 3 to 63 lower-case letters, digits, '-' and single '.',"
            " a letter or digit at both ends",
        )


def check_key(key: str) -> None:
    """Refuse a key that cannot be a file's path below its bucket.

    Raises:
        ServiceError: InvalidArgument or KeyTooLongError.
    """
    parts = key.split("/")
    if "\0" in key or any(part in {"", ".", ".."} for part in parts):
        raise ServiceError(
            "InvalidArgument",
            f"the key {key!r} cannot be a file on this machine; use non-empty parts between single '/',"
            " none of them '.' or '..', and no NUL",
        )
    if not is_unicode(key):
        raise ServiceError("InvalidArgument", f"the key {key!r} is not valid Unicode; name it in UTF-8")
    encoded = key.encode()
    if len(encoded) > MAX_KEY_BYTES or any(len(part) > MAX_PART_BYTES for part in encoded.split(b"/")):
        raise ServiceError(
            "KeyTooLongError",
            f"the key {key[:60]!r}... is too long; a key may have {MAX_KEY_BYTES} bytes,"
            f" and {MAX_PART_BYTES} between two '/'",
        )


def is_unicode(name: str) -> bool:
    """Say whether a name can be written as UTF-8, which a file name of other bytes cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def no_such_bucket(bucket: str) -> ServiceError:
    """Return the error of a bucket that does not exist."""
    return ServiceError("NoSuchBucket", f"the bucket {bucket} does not exist; create it first", status=404)


def no_such_key(bucket: str, key: str) -> ServiceError:
    """Return the error of an object that does not exist."""
    return ServiceError("NoSuchKey", f"the object s3://{bucket}/{key} does not exist", status=404)
