"""An installation in an account of moto's, made and looked at without a command line."""

from collections.abc import Iterator
from pathlib import Path

from pipelines.adoption.installation.domain import find_domain
from pipelines.adoption.installation.install import changes
from pipelines.adoption.installation.order import Change, Order
from pipelines.adoption.installation.source import Source, read_source
from pipelines.adoption.installation.stack import Stack, find_stack
from tests.adoption.aws import STACK, TEMPLATE, MotoAws


def order(aws: MotoAws, *roles: str, source: Source | None = None, service_catalog: bool = False) -> Order:
    """What is wished for the only domain of the account, and for more roles."""
    domain = find_domain(aws.account, None)
    own = (domain.role,) if domain and domain.role else ()
    return Order(source or read_source(None), STACK, domain, (*own, *roles), service_catalog=service_catalog)


def make(plan: Iterator[Change]) -> list[str]:
    """Make the changes of a plan, one after the other, and return what they say."""
    said = []
    for change in plan:
        change.make()
        said.append(change.says)
    return said


def install(aws: MotoAws, wished: Order | None = None) -> list[str]:
    """Install what is wished, and what moto leaves out of it."""
    account = aws.account
    is_first = find_stack(account.client("cloudformation"), STACK) is None
    said = make(changes(account, wished or order(aws)))
    if is_first:
        aws.finish()
    return said


def planned(aws: MotoAws, wished: Order) -> list[str]:
    """What an installation would change."""
    return [change.says for change in changes(aws.account, wished)]


def stack_of(aws: MotoAws) -> Stack:
    """The stack of the installation, which is there."""
    found = find_stack(aws.client("cloudformation"), STACK)
    assert found
    return found


def templates(folder: Path, *, template: str, installer: str) -> Source:
    """Write two templates into a folder, and read them."""
    (folder / "template.yml").write_text(template)
    (folder / "install.yml").write_text(installer)
    return read_source(folder / "template.yml")


def changed(folder: Path, *, template: str = "", installer: str = "") -> Source:
    """The repository's templates with something at their ends."""
    texts = {name: (TEMPLATE.parent / name).read_text() for name in ("template.yml", "install.yml")}
    return templates(
        folder, template=f"{texts['template.yml']}{template}", installer=f"{texts['install.yml']}{installer}"
    )
