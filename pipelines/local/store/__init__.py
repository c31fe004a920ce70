"""S3 as a folder: every object is a file, whole or not there."""

from pipelines.local.store.keys import parse_uri
from pipelines.local.store.objects import Objects, Store, StoredObject

__all__ = ["Objects", "Store", "StoredObject", "parse_uri"]
