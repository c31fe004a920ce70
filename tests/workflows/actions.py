"""What the actions do that the workflows use, as far as it can be done here; an unknown input is refused."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.iam.evaluator import Request, trusts
from tests.workflows.github import PROVIDER, GitHub
from tests.workflows.shell import install_commands

Inputs = Mapping[str, str]
Outputs = dict[str, str]
IGNORED = shutil.ignore_patterns(".*", "__pycache__")
# The environment that `make install` would make: the tests' own, with the code of the commit.
COMMANDS = {
    "approve-model": "-m pipelines.approve_model",
    "deploy-model": "-m pipelines.deploy_model",
    "run-pipeline": "-m pipelines.run_pipeline",
    "get-pipeline-definition": "-m pipelines.get_pipeline_definition",
}
# Tasks that the tests of this very repository would call in a circle only say that they were called.
TASKS = ("ruff", "mypy", "lint-imports", "pytest")


@dataclass
class Job:
    """A job's own machine: its workspace, its token's permissions, and the variables set for later steps."""

    github: GitHub
    workspace: Path
    permissions: Mapping[str, str]
    ref: str = "refs/heads/main"
    environment: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def need(self, permission: str, level: str) -> None:
        """Refuse what GitHub would refuse the job's token."""
        if self.permissions.get(permission) not in {level, "write"}:
            raise ActionError(
                f"Resource not accessible by integration: the job has no permission {permission}: {level}"
            )


class ActionError(Exception):
    """An action that ends its step."""


def use(action: str, inputs: Inputs, job: Job) -> Outputs:
    """Do what an action does, and return its outputs."""
    name, _, commit = action.partition("@")
    if name not in ACTIONS:
        raise ActionError(f"{name} is not one of {', '.join(ACTIONS)}")
    if len(commit) != 40:
        raise ActionError(f"{action} is not pinned to a commit")
    known, work = ACTIONS[name]
    if unknown := set(inputs) - known:
        raise ActionError(f"{name} has no input {', '.join(sorted(unknown))}")
    return work(inputs, job)


def _checkout(inputs: Inputs, job: Job) -> Outputs:
    job.need("contents", "read")
    if inputs.get("persist-credentials") != "false":
        raise ActionError("the token would stay in the checkout")
    shutil.copytree(job.github.source, job.workspace, ignore=IGNORED, dirs_exist_ok=True)
    return {}


def _set_up_python(inputs: Inputs, job: Job) -> Outputs:
    environment = job.workspace / ".venv"
    install_commands(environment / "bin", job.workspace, COMMANDS)
    for task in TASKS:
        (environment / "bin" / task).write_text(f'#!/bin/sh\necho {task} "$@"\n')
        (environment / "bin" / task).chmod(0o755)
    (environment / ".installed").touch()
    if job.github.state:
        (job.workspace / ".sagemaker-local").symlink_to(job.github.state)
    return {"python-version": inputs["python-version"]}


def _take_on_role(inputs: Inputs, job: Job) -> Outputs:
    job.need("id-token", "write")
    if not 900 <= int(inputs["role-duration-seconds"]) <= 43200:
        raise ActionError("role-duration-seconds must be from 900 to 43200")
    role, claims = inputs["role-to-assume"], job.github.claims(job.ref, job.environment)
    policy = job.github.trust.get(role)
    if not policy or not trusts(policy, PROVIDER, Request("sts:AssumeRoleWithWebIdentity", role, claims)):
        raise ActionError(f"Not authorized to perform sts:AssumeRoleWithWebIdentity: {role} does not trust {claims}")
    job.variables |= {
        "AWS_ACCESS_KEY_ID": "ASIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": role,
        "AWS_REGION": inputs["aws-region"],
        "AWS_DEFAULT_REGION": inputs["aws-region"],
        **job.github.aws,
    }
    return {}


def _upload(inputs: Inputs, job: Job) -> Outputs:
    paths, kept = inputs["path"].split(), job.github.artifacts / inputs["name"]
    found = [path for path in paths if (job.workspace / path).exists()]
    if not found:
        if inputs.get("if-no-files-found", "warn") == "error":
            raise ActionError(f"no files were found with the path {inputs['path']}")
        return {}
    if kept.exists() and inputs.get("overwrite") != "true":
        raise ActionError(f"an artifact with the name {kept.name} already exists")
    shutil.rmtree(kept, ignore_errors=True)
    for path in found:
        # One folder's content is the artifact; several paths keep their places below the folder that they share.
        is_content = len(paths) == 1 and (job.workspace / path).is_dir()
        _copy(job.workspace / path, kept if is_content else kept / path)
    return {"artifact-id": "4242"}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _download(inputs: Inputs, job: Job) -> Outputs:
    kept = job.github.artifacts / inputs["name"]
    if not kept.exists():
        raise ActionError(f"artifact not found for name: {kept.name}")
    shutil.copytree(kept, job.workspace / inputs["path"], dirs_exist_ok=True)
    return {}


ACTIONS: dict[str, tuple[set[str], Callable[[Inputs, Job], Outputs]]] = {
    "actions/checkout": ({"persist-credentials"}, _checkout),
    "actions/setup-python": ({"python-version"}, _set_up_python),
    "actions/upload-artifact": ({"name", "path", "if-no-files-found", "overwrite"}, _upload),
    "actions/download-artifact": ({"name", "path"}, _download),
    "aws-actions/configure-aws-credentials": (
        {"role-to-assume", "aws-region", "role-duration-seconds"},
        _take_on_role,
    ),
}
