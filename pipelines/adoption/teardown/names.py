"""What a project calls its resources, and which names are its own: a neighbour's may begin with the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.delivery.deployment.names import LONGEST
from pipelines.delivery.lifecycle import STAGES

_END_OF_MODEL = re.compile(r"(?P<head>.+?)(?P<end>-v\d+-[0-9a-f]{8})")
_END_OF_CONFIG = re.compile(rf"(?P<head>.+?)(?P<end>-(?:{'|'.join(STAGES)})-v\d+-[0-9a-f]{{8}})")
_MODEL_OF_EXECUTION = re.compile(r"pipelines-(?P<execution>[a-z0-9]+)-.+")


@dataclass(frozen=True)
class Names:
    """The names of one project: of its pipeline, its model package group, its key prefix, and its bucket if known."""

    pipeline: str
    group: str
    prefix: str
    bucket: str | None = None
    project_id: str | None = None

    @property
    def project_name(self) -> str:
        """What SageMaker calls the project: the template puts its id behind that."""
        return self.group.removesuffix(f"-{self.project_id}")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """What endpoints are called, unless deploy-model was told another name."""
        return tuple(f"{self.group}-{stage}" for stage in STAGES)

    @property
    def builds(self) -> tuple[str, ...]:
        """What the template calls the projects of CodeBuild."""
        return tuple(f"sagemaker-{self.group}-{work}" for work in ("pull-request", "build", *STAGES))

    def prefixes(self, endpoints: Iterable[str]) -> tuple[str, ...]:
        """Return the key prefixes of what runs, definitions and endpoints leave in the bucket."""
        captures = sorted({*self.endpoints, *endpoints})
        return (f"{self.prefix}/", f"pipelines/{self.pipeline}/", *(f"data-capture/{name}/" for name in captures))

    def may_be_model(self, name: str) -> bool:
        """Whether deploy-model could have given a model of this group that name."""
        return self._is_named(name, _END_OF_MODEL)

    def may_be_config(self, name: str) -> bool:
        """Whether deploy-model could have given an endpoint config of this group that name."""
        return self._is_named(name, _END_OF_CONFIG)

    def is_whole(self, name: str) -> bool:
        """Whether the group stands in the name in full, so that no other group can have one like it."""
        return name.startswith(f"{self.group}-")

    def _is_named(self, name: str, end: re.Pattern[str]) -> bool:
        match = end.fullmatch(name)
        # As deploy-model cuts the name of a long group.
        return match is not None and match["head"] == self.group[: LONGEST - len(match["end"])].rstrip("-")


def execution_of_model(name: str) -> str | None:
    """Return the id of the execution whose CreateModel step gave a model its name."""
    match = _MODEL_OF_EXECUTION.fullmatch(name)
    return match["execution"] if match else None
