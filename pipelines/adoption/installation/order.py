"""What is to be installed where: the templates, their stack, and who may create projects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.adoption.installation.domain import Domain
from pipelines.adoption.installation.source import Source


@dataclass(frozen=True)
class Order:
    """An installation as it is wished: without a domain, projects are created by the command line only."""

    source: Source
    stack: str
    domain: Domain | None
    roles: tuple[str, ...]
    service_catalog: bool = False


@dataclass(frozen=True)
class Change:
    """Something that is not yet as it is wished, and what makes it so."""

    says: str
    make: Callable[[], object]
