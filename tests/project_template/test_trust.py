"""Who can be whom: each role is for one job of one repository, or for one service in this account."""

import pytest

from tests.iam.evaluator import Request, trusts
from tests.project_template.conftest import CODEBUILD, GITHUB, NAME, NUMBERS
from tests.project_template.identities import ACCOUNT
from tests.project_template.stack import TEMPLATE, Stack

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
MAIN = "refs/heads/main"
OLD, NEW = "acme/fraud", "acme@123/fraud@456"
ENVIRONMENTS = {"StagingRole": "staging", "ProductionRole": "production", "ApproveRole": "approval"}
ROLES = ["BuildRole", *ENVIRONMENTS]


def is_taken_on(stack: Stack, role: str, subject: str, *, ref: str = MAIN, audience: str = "sts.amazonaws.com") -> bool:
    """Whether a job with such a token of GitHub may have a role."""
    claims = {"aud": audience, "sub": subject, "ref": ref}
    context = {f"token.actions.githubusercontent.com:{name}": value for name, value in claims.items()}
    asked = Request("sts:AssumeRoleWithWebIdentity", stack.arn(role), context)
    return trusts(stack.trust(role), ("Federated", PROVIDER), asked)


def subject_of(role: str) -> str:
    """What the job of a role has in its token, behind the repository."""
    return f"environment:{ENVIRONMENTS[role]}" if role in ENVIRONMENTS else f"ref:{MAIN}"


@pytest.fixture(scope="module")
def github() -> Stack:
    return Stack(TEMPLATE, {**GITHUB, **NUMBERS})


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("repository", [OLD, NEW])
def test_a_role_is_for_its_job_in_both_forms_of_the_token(github: Stack, role: str, repository: str) -> None:
    assert is_taken_on(github, role, f"repo:{repository}:{subject_of(role)}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("other", ROLES)
def test_a_role_is_for_no_other_job(github: Stack, role: str, other: str) -> None:
    assert is_taken_on(github, role, f"repo:{NEW}:{subject_of(other)}") == (role == other)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "subject",
    [
        "repo:acme/fraud:pull_request",
        "repo:acme@123/fraud@456:pull_request",
        "repo:acme/fraud:ref:refs/heads/feature",
        "repo:acme/fraud:ref:refs/heads/main-2",
        "repo:acme/fraud:ref:refs/tags/main",
        "repo:acme/fraud:environment:production-2",
        "repo:acme/fraud:environment:development",
        "repo:acme/fraud:job_workflow_ref:acme/fraud/.github/workflows/main.yml@refs/heads/main",
    ],
)
def test_pull_requests_and_other_branches_and_environments_are_refused(github: Stack, role: str, subject: str) -> None:
    assert not is_taken_on(github, role, subject)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "repository",
    [
        "mallory/fraud",
        "acme/fraud-2",
        "acme-2/fraud",
        "Acme/fraud",
        "mallory@123/fraud@456",
        "acme@1234/fraud@456",
        "acme@123/fraud@4567",
        "acme@9/fraud@9",
        "acme@123/other@9:ref:refs/heads/main/fraud@456",
        "*",
    ],
)
def test_forks_and_other_repositories_are_refused(github: Stack, role: str, repository: str) -> None:
    assert not is_taken_on(github, role, f"repo:{repository}:{subject_of(role)}")


@pytest.mark.parametrize("role", ROLES)
def test_a_token_for_somebody_else_is_refused(github: Stack, role: str) -> None:
    assert not is_taken_on(github, role, f"repo:{OLD}:{subject_of(role)}", audience="https://github.com/acme")


@pytest.mark.parametrize("role", list(ENVIRONMENTS))
def test_an_environment_counts_on_the_main_branch_only(github: Stack, role: str) -> None:
    assert not is_taken_on(github, role, f"repo:{OLD}:{subject_of(role)}", ref="refs/heads/feature")


@pytest.mark.parametrize("role", ROLES)
def test_without_numbers_only_the_old_form_is_taken(role: str) -> None:
    stack = Stack(TEMPLATE, GITHUB)
    assert is_taken_on(stack, role, f"repo:{OLD}:{subject_of(role)}")
    assert not is_taken_on(stack, role, f"repo:acme@/fraud@:{subject_of(role)}")
    assert not is_taken_on(stack, role, f"repo:{NEW}:{subject_of(role)}")


def test_a_provider_that_is_there_already_is_used() -> None:
    stack = Stack(TEMPLATE, {**GITHUB, "GitHubOidcProviderArn": PROVIDER})
    assert not stack.of_type("AWS::IAM::OIDCProvider")
    assert is_taken_on(stack, "BuildRole", f"repo:{OLD}:ref:{MAIN}")


def test_pull_requests_have_no_role_on_github(github: Stack) -> None:
    assert "PullRequestRole" not in github.resources


def service_may(stack: Stack, role: str, service: str, *, account: str = ACCOUNT, source: str = "") -> bool:
    """Whether a service may have a role, for something of an account."""
    context = {"aws:SourceAccount": account, **({"aws:SourceArn": source} if source else {})}
    asked = Request("sts:AssumeRole", stack.arn(role), context)
    return trusts(stack.trust(role), ("Service", service), asked)


@pytest.mark.parametrize("role", ["PipelineExecutionRole", "EndpointRole"])
def test_sagemaker_runs_jobs_and_endpoints_for_this_account_only(stack: Stack, role: str) -> None:
    assert service_may(stack, role, "sagemaker.amazonaws.com")
    assert not service_may(stack, role, "sagemaker.amazonaws.com", account="999999999999")
    assert not service_may(stack, role, "codebuild.amazonaws.com")


@pytest.mark.parametrize(
    ("role", "project"),
    [
        ("PullRequestRole", "pull-request"),
        ("BuildRole", "build"),
        ("StagingRole", "staging"),
        ("ProductionRole", "production"),
    ],
)
def test_each_build_project_has_its_own_role(role: str, project: str) -> None:
    stack = Stack(TEMPLATE, CODEBUILD)
    names = {each["Name"]: each["ServiceRole"] for each in stack.of_type("AWS::CodeBuild::Project").values()}
    assert names[f"sagemaker-{NAME}-{project}"] == stack.arn(role)
    for name in names:
        arn = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/{name}"
        expected = name.endswith(f"-{project}")
        assert service_may(stack, role, "codebuild.amazonaws.com", source=arn) == expected
        assert not service_may(stack, role, "codebuild.amazonaws.com", account="999999999999", source=arn)


def test_nobody_of_github_has_a_role_of_codebuild() -> None:
    stack = Stack(TEMPLATE, CODEBUILD)
    for role in ("BuildRole", "StagingRole", "ProductionRole"):
        assert not is_taken_on(stack, role, f"repo:{OLD}:{subject_of(role)}")


def test_only_this_projects_rules_start_anything(full_stack: Stack) -> None:
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/sagemaker-{NAME}-deploy"
    assert service_may(full_stack, "EventsRole", "events.amazonaws.com", source=arn)
    other = arn.replace(NAME, "other-p-xyz")
    assert not service_may(full_stack, "EventsRole", "events.amazonaws.com", source=other)
    assert not service_may(full_stack, "EventsRole", "events.amazonaws.com", account="999999999999", source=arn)


def test_the_launch_role_is_for_cloudformation_service_catalog_and_studio(installed: Stack) -> None:
    asked = Request("sts:AssumeRole", installed.arn("LaunchRole"))
    trust = installed.trust("LaunchRole")
    assert trusts(trust, ("Service", "cloudformation.amazonaws.com"), asked)
    assert trusts(trust, ("Service", "servicecatalog.amazonaws.com"), asked)
    assert trusts(trust, ("AWS", installed.parameters["StudioRoleArns"][0]), asked)
    assert not trusts(trust, ("AWS", f"arn:aws:iam::{ACCOUNT}:role/another"), asked)
    assert not trusts(trust, ("Service", "ec2.amazonaws.com"), asked)
