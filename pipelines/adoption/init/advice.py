"""What is next for a project whose settings are made: on this machine, then in AWS."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.adoption.init.providers import GITHUB

# The variables of docs/github.md that are always needed, by the outputs of the project's stack that they are.
VARIABLES = {
    "AWS_REGION": "Region",
    "SAGEMAKER_PROJECT_NAME": "SageMakerProjectName",
    "SAGEMAKER_PROJECT_ID": "SageMakerProjectId",
    "ARTIFACT_BUCKET": "ArtifactBucket",
    "SAGEMAKER_PIPELINE_ROLE_ARN": "PipelineExecutionRoleArn",
    "SAGEMAKER_ENDPOINT_ROLE_ARN": "EndpointRoleArn",
    "AWS_ROLE_ARN": "BuildRoleArn",
    "AWS_STAGING_ROLE_ARN": "StagingRoleArn",
    "AWS_PRODUCTION_ROLE_ARN": "ProductionRoleArn",
    "AWS_APPROVAL_ROLE_ARN": "ApproveRoleArn",
    "PRODUCTION_APPROVAL": "ProductionApproval",
}
KEY_VARIABLE, KEY_OUTPUT = "ENDPOINT_KMS_KEY_ARN", "EndpointKeyArn"
_OUTPUT = (
    'output() { aws cloudformation describe-stacks --stack-name "$stack" '
    "--query \"Stacks[0].Outputs[?OutputKey=='$1'].OutputValue\" --output text; }"
)


def next_steps(provider: str, run: str, region: str | None) -> Iterator[str]:
    """Yield lines for a shell, comments among them; `run` is the command that runs the pipeline here."""
    yield run
    yield "git add --all && git commit --message 'Make the project our own'"
    yield "# when the project's stack is there:"
    yield from _of_github(region) if provider == GITHUB else _of_codebuild()


def _of_github(region: str | None) -> Iterator[str]:
    yield "# first make the environments staging, production and approval: docs/github.md"
    yield "stack=STACK  # its name"
    if region:
        yield f"export AWS_DEFAULT_REGION={region}"
    yield _OUTPUT
    for variable, output in VARIABLES.items():
        yield f'gh variable set {variable} --body "$(output {output})"'
    yield f'key=$(output {KEY_OUTPUT}); [ -z "$key" ] || gh variable set {KEY_VARIABLE} --body "$key"'
    yield "git push"


def _of_codebuild() -> Iterator[str]:
    yield "# its builds have their variables already, and names in them count before those of the settings"
    yield "git push  # starts the first build: docs/codebuild.md"
