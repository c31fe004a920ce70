"""The copy of this repository that a team works in, and what in it is a pipeline's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.delivery.errors import UsageError


@dataclass(frozen=True)
class Checkout:
    """A folder with the repository's files, and the folder of a pipeline's package below it."""

    root: Path
    package: Path

    @property
    def settings(self) -> Path:
        """The settings file of the pipeline."""
        return self.package / "settings.json"

    @property
    def schema(self) -> Path:
        """The schema of the pipeline's data."""
        return self.package / "steps" / "schema.json"

    @property
    def sample(self) -> Path:
        """The schema of the sample data, which a fresh copy has as its own."""
        return self.package / "sample.json"

    def named(self, path: Path) -> str:
        """Return a path as it is typed in the root folder."""
        return path.relative_to(self.root).as_posix()


def find_checkout(root: Path, module: str) -> Checkout:
    """Return the copy in a folder by the name of the pipeline's module; UsageError where there is none."""
    checkout = Checkout(root, root.joinpath(*module.split(".")[:-1]))
    for path in (root / "pyproject.toml", checkout.package):
        if not path.exists():
            raise UsageError(
                f"{root} is no copy of this repository, for it has no {checkout.named(path)}: "
                "change to the root folder of your copy"
            )
    return checkout
