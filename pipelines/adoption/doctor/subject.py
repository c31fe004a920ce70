"""What is examined: an account, what is installed there, and what a project will need."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property

from pipelines.adoption.account import Account
from pipelines.adoption.installation.domain import Domain, find_domain
from pipelines.adoption.installation.installer import BUCKET, LAUNCH_ROLE, PRODUCT, STACK, STUDIO_ROLES
from pipelines.adoption.installation.source import Source
from pipelines.adoption.installation.stack import Stack, find_stack
from pipelines.delivery.settings import Settings


class NotThereError(Exception):
    """What a check looks at is not installed."""


@dataclass(frozen=True)
class GitHub:
    """Where GitHub answers, about which repository, and with whose token."""

    url: str
    repository: str | None
    token: str | None


@dataclass(frozen=True)
class Subject:
    """What the checks look at; without GitHub it is CodeBuild that builds. AWS is asked when it is looked at."""

    account: Account
    source: Source
    settings: Settings
    stack_name: str
    domain_id: str | None = None
    github: GitHub | None = None
    connection: str | None = None

    @cached_property
    def domain(self) -> Domain | None:
        """The Studio domain."""
        return find_domain(self.account, self.domain_id)

    @cached_property
    def stack(self) -> Stack | None:
        """The stack of the installation."""
        return find_stack(self.account.client("cloudformation"), self.stack_name)

    @property
    def installed(self) -> Stack:
        """The stack of the installation, which is there.

        Raises:
            NotThereError: it is not, or was never whole.
        """
        if self.stack is None or BUCKET not in self.stack.outputs:
            raise NotThereError(f"the stack {self.stack_name} is not installed")
        return self.stack

    @property
    def install(self) -> str:
        """The command that brings this installation up to date."""
        domain = ("--domain-id", self.domain_id) if self.domain_id else ()
        return shlex.join(["project-template", "install", "--yes", *self._stack_option, *domain])

    @property
    def uninstall(self) -> str:
        """The command that takes this installation away."""
        return shlex.join(["project-template", "uninstall", "--yes", *self._stack_option])

    @property
    def bucket(self) -> str:
        """The bucket of the template."""
        return self.installed.outputs[BUCKET]

    @property
    def launch_role(self) -> str:
        """The ARN of the role that makes projects."""
        return self.installed.outputs[LAUNCH_ROLE]

    @property
    def product(self) -> str | None:
        """The product of Service Catalog, if the template is one."""
        return self.stack.outputs.get(PRODUCT) if self.stack else None

    @property
    def installed_roles(self) -> list[str]:
        """The ARNs of the roles that the installation is for."""
        return self.installed.parameters[STUDIO_ROLES].split(",")

    @property
    def roles(self) -> list[str]:
        """The ARNs of the roles that create projects: the domain's, and those of the installation."""
        own = [self.domain.role] if self.domain and self.domain.role else []
        return list(dict.fromkeys([*own, *self.installed_roles]))

    @property
    def _stack_option(self) -> tuple[str, ...]:
        return () if self.stack_name == STACK else ("--stack-name", self.stack_name)
