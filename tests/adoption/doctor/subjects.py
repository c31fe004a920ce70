"""What the doctor is shown in tests, and what it says of it."""

from collections.abc import Callable, Iterator

from pipelines.adoption.doctor.finding import Finding, Verdict
from pipelines.adoption.doctor.subject import GitHub, Subject
from pipelines.adoption.installation.source import read_source
from pipelines.delivery.settings import Settings
from tests.adoption.aws import STACK, MotoAws
from tests.adoption.init.copies import FRESH


def settings() -> Settings:
    return Settings(**FRESH)


def subject(
    aws: MotoAws, *, github: GitHub | None = None, connection: str | None = None, of: Settings | None = None
) -> Subject:
    """What a person lets the doctor look at, with this checkout's template and the settings of a fresh copy."""
    return Subject(
        account=aws.account,
        source=read_source(None),
        settings=of or settings(),
        stack_name=STACK,
        github=github,
        connection=connection,
    )


def verdicts(findings: Iterator[Finding]) -> dict[str, Verdict]:
    """What is said of each thing, which must have one verdict only."""
    listed = [(finding.name, finding.verdict) for finding in findings]
    assert len(dict(listed)) == len(listed)
    return dict(listed)


def only(findings: Iterator[Finding]) -> Finding:
    """The only finding of a check."""
    (finding,) = findings
    return finding


def problem(check: Callable[[Subject], Iterator[Finding]], seen: Subject) -> Finding:
    """The only problem of a check; each has a way out."""
    (finding,) = (each for each in check(seen) if each.verdict is Verdict.PROBLEM)
    assert finding.steps
    return finding
