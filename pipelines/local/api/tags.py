"""The operations on tags, which any resource may have."""

from collections.abc import Mapping

from pipelines.local.api.listing import page
from pipelines.local.database import Database, Document

KIND = "tags"


class Tags:
    """The tags of this machine's resources, by ARN."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, arn: str, tags: list[Document]) -> None:
        """Give a new resource its tags."""
        self._put(arn, {tag["Key"]: tag["Value"] for tag in tags})

    def forget(self, arn: str) -> None:
        """Drop the tags of a resource that is no more, so that the next one of its name has none of them."""
        self._database.delete(KIND, arn)

    def add(self, request: Document) -> Document:
        """AddTags."""
        arn = request["ResourceArn"]
        with self._database.transaction():
            kept = self._tags(arn) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
            self._put(arn, kept)
        return {"Tags": _as_list(kept)}

    def delete(self, request: Document) -> Document:
        """DeleteTags."""
        arn = request["ResourceArn"]
        with self._database.transaction():
            kept = {key: value for key, value in self._tags(arn).items() if key not in request["TagKeys"]}
            self._put(arn, kept)
        return {}

    def list(self, request: Document) -> Document:
        """ListTags."""
        return page("Tags", _as_list(self._tags(request["ResourceArn"])), request)

    def _tags(self, arn: str) -> dict[str, str]:
        kept: dict[str, str] = (self._database.get(KIND, arn) or {"Tags": {}})["Tags"]
        return kept

    def _put(self, arn: str, tags: Mapping[str, str]) -> None:
        self._database.put(KIND, arn, {"Tags": tags})


def _as_list(tags: Mapping[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
