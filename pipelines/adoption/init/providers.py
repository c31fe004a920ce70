"""The files that only one of the CI providers needs, with the tests of them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.init.checkout import Checkout
from pipelines.adoption.init.edits import Edit
from pipelines.adoption.init.git import require_committed
from pipelines.delivery.errors import UsageError

GITHUB, CODEBUILD = "github", "codebuild"
PROVIDERS = (GITHUB, CODEBUILD)
# Named one by one: what a team has added is not ours to remove.
FILES = {
    GITHUB: (
        ".github/workflows/approve.yml",
        ".github/workflows/deploy-stage.yml",
        ".github/workflows/deploy.yml",
        ".github/workflows/main.yml",
        ".github/workflows/pull-request.yml",
        ".github/workflows/retrain.yml",
        ".github/workflows/run-in-aws.yml",
        "tests/workflows/test_approve.py",
        "tests/workflows/test_deploy.py",
        "tests/workflows/test_main.py",
        "tests/workflows/test_production.py",
        "tests/workflows/test_pull_request.py",
        "tests/workflows/test_retrain.py",
    ),
    CODEBUILD: (
        "codebuild-buildspec.yml",
        "deploy-buildspec.yml",
        "pull-request-buildspec.yml",
        "tests/workflows/test_codebuild.py",
        "tests/workflows/test_deploy_build.py",
    ),
}


def remove_others(checkout: Checkout, provider: str) -> Iterator[Edit]:
    """Yield the removal of each file that only the other provider needs; refuse what git could not bring back."""
    (other,) = set(PROVIDERS) - {provider}
    if not _files_of(provider, checkout):
        raise UsageError(
            f"this copy has no files of {provider} any more: removing those of {other} would leave it without CI; "
            f"give --provider {other}"
        )
    names = _files_of(other, checkout)
    if names:
        require_committed(checkout.root, names, "--remove-other-provider")
    for name in names:
        yield Edit(checkout.root / name, None)


def _files_of(provider: str, checkout: Checkout) -> list[str]:
    return [name for name in FILES[provider] if (checkout.root / name).is_file()]
