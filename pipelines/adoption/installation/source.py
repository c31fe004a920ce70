"""The two CloudFormation templates of the repository: of a project, and of what projects need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.delivery.errors import UsageError

TEMPLATE, INSTALLER = "template.yml", "install.yml"
FOLDER = Path(__file__).parents[3] / "project-template"
# What S3 gives CloudFormation, and what a request can hold.
LARGEST_TEMPLATE, LARGEST_BODY = 1_048_576, 51_200
# What SageMaker gives each project.
REQUIRED = ("SageMakerProjectName", "SageMakerProjectId")


@dataclass(frozen=True)
class Source:
    """The project template's bytes, and the text of the stack that it is installed by."""

    path: Path
    template: bytes
    installer: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the template, in hexadecimal."""
        return hashlib.sha256(self.template).hexdigest()

    @property
    def version(self) -> str:
        """What this template is called among others."""
        return self.digest[:12]


def read_source(given: Path | None) -> Source:
    """Read the template that is given, or that of this checkout, and the installer beside it."""
    path = given or FOLDER / TEMPLATE
    if given is None and not path.is_file():
        raise UsageError(
            f"{path} does not exist: this command was installed without its checkout; "
            f"give --template FILE, the project-template/{TEMPLATE} of a checkout"
        )
    template, installer = _read(path, LARGEST_TEMPLATE), _read(path.parent / INSTALLER, LARGEST_BODY)
    if missing := [name for name in REQUIRED if name not in template.decode()]:
        raise UsageError(f"--template {path} is no project template: it has no parameter {missing[0]}")
    return Source(path, template, installer.decode())


def _read(path: Path, largest: int) -> bytes:
    if not path.is_file():
        raise UsageError(f"--template: {path} does not exist: {TEMPLATE} and {INSTALLER} stand in one folder")
    content = path.read_bytes()
    if len(content) > largest:
        raise UsageError(f"--template: {path} has {len(content)} bytes, and CloudFormation takes {largest}")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"--template: {path} is no text in UTF-8: {error}") from error
    return content
