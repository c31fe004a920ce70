"""What is in the bucket under the project's prefixes, in all its versions, the bucket itself, and its key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import ClientError

from pipelines.adoption import contents
from pipelines.adoption.teardown.hosting import own_endpoints
from pipelines.adoption.teardown.prices import GIGABYTE, KEY, OBJECTS, size
from pipelines.adoption.teardown.site import Site, plain
from pipelines.adoption.teardown.stacks import stays_with
from pipelines.adoption.teardown.things import Amount, Key, Thing

CONTENT, BUCKET, KEY_KIND = "objects", "bucket", "key"
# The days in which the deletion of a key can be taken back: as many as there may be.
_PENDING_DAYS = 30
_SHOWN = 3
_ALL_ENCRYPTED = frozenset({Key(BUCKET, ""), Key(CONTENT, ""), Key("endpoint", ""), Key("log group", "")})


def find_objects(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield what is under each of the project's prefixes."""
    for prefix in site.names.prefixes(own_endpoints(site, seen)):
        count, stored = 0, 0
        for version in contents.versions(site.account, site.bucket, prefix):
            count, stored = count + 1, stored + version.get("Size", 0)
        if count:
            yield Thing(
                CONTENT,
                f"s3://{site.bucket}/{prefix}",
                f"{count} object{'s' * (count > 1)}, {size(stored)}",
                (Amount(OBJECTS, stored / GIGABYTE),),
                delete=_deletion(site, prefix),
                # Endpoints read their models again when an instance is replaced.
                leads_to=frozenset({Key("endpoint", ""), Key("execution", "")}),
            )


def find_others(site: Site) -> Iterator[Thing]:
    """Yield what else a shared bucket holds, such as data of the project below a prefix that it had before."""
    if site.names.project_id:
        return
    own = site.names.prefixes(())
    found = contents.top_prefixes(site.account, site.bucket)
    others = [prefix for prefix in found if not any(each.startswith(prefix) for each in own)]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        note = f"other prefixes stay: {', '.join(others[:_SHOWN])}{more}; --name NAME looks below one"
        yield Thing(CONTENT, f"s3://{site.bucket}", note)


def find_buckets(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the bucket that the template made for the project, which a stack leaves behind."""
    tags = _bucket_tags(site) if site.names.project_id else None
    if tags is None:
        return
    if not site.has_tags_of_project(tags):
        yield Thing(BUCKET, site.bucket, f"stays, for its tags are not those of project {site.names.project_id}")
    elif stack := site.stack_of(tags):
        yield Thing(BUCKET, site.bucket, stays_with(stack))
    elif other := _first_other(site, seen):
        yield Thing(BUCKET, site.bucket, f"stays, for it holds something else: {other}")
    else:
        yield Thing(BUCKET, site.bucket, delete=_bucket_deletion(site), leads_to=frozenset({Key(CONTENT, "")}))


def find_keys(site: Site, seen: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the key that the template made; without it nothing that it encrypts can be read any more."""
    stays = next((thing for thing in seen if thing.kind == BUCKET and thing.delete is None), None)
    for arn, tags in site.tagged.items():
        if not arn.startswith(site.arn("kms", "key/")):
            continue
        described = site.client("kms").describe_key(KeyId=arn)["KeyMetadata"]
        if described["KeyState"] == "PendingDeletion":
            continue
        amounts = (Amount(KEY, 1),)
        if stack := site.stack_of(tags):
            yield Thing(KEY_KIND, arn, stays_with(stack), amounts)
        elif stays:
            yield Thing(KEY_KIND, arn, f"stays with the bucket {stays.name}", amounts)
        else:
            note = f"its deletion can be taken back for {_PENDING_DAYS} days"
            yield Thing(
                KEY_KIND, arn, note, amounts, delete=_key_deletion(site, described["KeyId"]), leads_to=_ALL_ENCRYPTED
            )


def _deletion(site: Site, prefix: str) -> Callable[[], object]:
    return lambda: contents.delete_all(site.account, site.bucket, prefix)


def _bucket_tags(site: Site) -> dict[str, str] | None:
    """Return the bucket's tags; none where there is no bucket."""
    try:
        answer = site.tools.s3.get_bucket_tagging(Bucket=site.bucket, ExpectedBucketOwner=site.account.number)
    except ClientError as error:
        code = error.response["Error"].get("Code")
        if code == "NoSuchTagSet":
            return {}
        if code in contents.ABSENT:
            return None
        raise
    return plain(answer["TagSet"])


def _first_other(site: Site, seen: Iterable[Thing]) -> str | None:
    own = site.names.prefixes(own_endpoints(site, seen))
    others = (each["Key"] for each in contents.versions(site.account, site.bucket) if not each["Key"].startswith(own))
    return next(others, None)


def _bucket_deletion(site: Site) -> Callable[[], object]:
    return lambda: site.tools.s3.delete_bucket(Bucket=site.bucket, ExpectedBucketOwner=site.account.number)


def _key_deletion(site: Site, key: str) -> Callable[[], object]:
    return lambda: site.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=_PENDING_DAYS)
