"""The tree at /opt/ml: the files that the service lays in it, and those it takes out."""

import json
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.local.containers.container import OPT_ML
from pipelines.local.errors import LocalError

MESSAGE_BYTES = 1024
FAILURE_CHARACTERS = 1024
HOST = "algo-1"
INSTANCE_GROUP = "homogeneousCluster"
NETWORK_INTERFACE = "eth0"

PROCESSING = f"{OPT_ML}/processing"
CODE = f"{OPT_ML}/code"
INPUT = f"{OPT_ML}/input"
INPUT_CONFIG = f"{INPUT}/config"
INPUT_DATA = f"{INPUT}/data"
MODEL = f"{OPT_ML}/model"
OUTPUT = f"{OPT_ML}/output"
OUTPUT_DATA = f"{OUTPUT}/data"
CHECKPOINTS = f"{OPT_ML}/checkpoints"


class NotText(LocalError):
    """A message of a container that is not UTF-8."""


class NotAFolder(LocalError):
    """A place for results where a container left something else than a folder."""


class Tree:
    """The folder that stands at /opt/ml of one container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, inside: str) -> Path:
        """Return where a path that a container sees is on this machine.

        Raises:
            ValueError: it is not below /opt/ml.
        """
        return self.folder / posixpath.relpath(require_below(inside, OPT_ML), OPT_ML)

    def make(self, *inside: str) -> None:
        """Make folders, by their paths as the container sees them."""
        for path in inside:
            self.path(path).mkdir(parents=True, exist_ok=True)

    def write_json(self, inside: str, content: Any) -> None:
        """Write a configuration file."""
        file = self.path(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")

    def message(self) -> str | None:
        """Return what a processing container left in /opt/ml/output/message, its first KiB.

        Raises:
            NotText: it is not UTF-8.
        """
        content = self._read(f"{OUTPUT}/message", MESSAGE_BYTES + 1)
        if content is None:
            return None
        try:
            # The limit may cut a character in two.
            return content[:MESSAGE_BYTES].decode(
                "utf-8", errors="strict" if len(content) <= MESSAGE_BYTES else "ignore"
            )
        except UnicodeDecodeError as error:
            raise NotText(f"{OUTPUT}/message is not UTF-8 text: {error.reason} at byte {error.start}") from error

    def failure(self) -> str | None:
        """Return what a training container left in /opt/ml/output/failure, if it is not empty."""
        content = self._read(f"{OUTPUT}/failure", 4 * FAILURE_CHARACTERS)
        text = (content or b"").decode("utf-8", errors="replace").strip()
        return text[:FAILURE_CHARACTERS] or None

    def _read(self, inside: str, size: int) -> bytes | None:
        file = self.path(inside)
        if self._link_on_the_way(inside) or not file.is_file():
            return None
        with file.open("rb") as stream:
            return stream.read(size)

    def left(self, inside: str) -> Path | None:
        """Return where a folder is that a container had to fill; None if it is gone.

        Raises:
            NotAFolder: a file, or a link, which could lead anywhere on this machine, is in its place or above it.
        """
        link, folder = self._link_on_the_way(inside), self.path(inside)
        if link:
            raise NotAFolder(f"{inside} is not uploaded: {link} is a symbolic link; leave the files themselves there")
        if not os.path.lexists(folder):
            return None
        if not folder.is_dir():
            raise NotAFolder(f"{inside} is not uploaded: it is no folder; leave a folder there, with files in it")
        return folder

    def _link_on_the_way(self, inside: str) -> str | None:
        parts = posixpath.relpath(require_below(inside, OPT_ML), OPT_ML).split("/")
        ways = (parts[:length] for length in range(1, len(parts) + 1))
        return next((f"{OPT_ML}/{'/'.join(way)}" for way in ways if self.folder.joinpath(*way).is_symlink()), None)


def require_below(path: str, parent: str) -> str:
    """Return a container's path without `.` and `..`.

    Raises:
        ValueError: it is not below a parent folder.
    """
    normal = posixpath.normpath(path)
    if not normal.startswith(f"{parent}/") or ".." in path.split("/"):
        raise ValueError(f"'{path}' is not below {parent}/")
    return normal


def resource_config(instance_type: str) -> dict[str, Any]:
    """Return resourceconfig.json of a job on one instance."""
    group = {"instance_group_name": INSTANCE_GROUP, "instance_type": instance_type, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": instance_type,
        "current_group_name": INSTANCE_GROUP,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": NETWORK_INTERFACE,
    }


def input_data_config(channels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return inputdataconfig.json of a training job's channels."""
    return {channel["ChannelName"]: channel_config(channel) for channel in channels}


def channel_config(channel: Mapping[str, Any]) -> dict[str, Any]:
    """Return a channel's entry in inputdataconfig.json."""
    source = channel["DataSource"]["S3DataSource"]
    config = {
        "TrainingInputMode": "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": "None",
    }
    return config | ({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})
