"""A repository on GitHub that deploys to an AWS account, which lets each role do what its documented policy allows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.iam.gatekeeper import Gatekeeper
from tests.workflows.account import BUCKET, REGION, Account
from tests.workflows.github import Environment, Event, GitHub
from tests.workflows.github_api import GitHubApi
from tests.workflows.policies import (
    APPROVAL,
    ENDPOINT_ROLE,
    GITHUB,
    GROUP,
    PIPELINE_ROLE,
    PRODUCTION,
    STAGING,
    permissions,
    trust,
)
from tests.workflows.runner import Run, run_workflow

VARIABLES = {
    "AWS_ROLE_ARN": GITHUB,
    "AWS_STAGING_ROLE_ARN": STAGING,
    "AWS_PRODUCTION_ROLE_ARN": PRODUCTION,
    "AWS_APPROVAL_ROLE_ARN": APPROVAL,
    "AWS_REGION": REGION,
    "ARTIFACT_BUCKET": BUCKET,
    "SAGEMAKER_PIPELINE_ROLE_ARN": PIPELINE_ROLE,
    "SAGEMAKER_ENDPOINT_ROLE_ARN": ENDPOINT_ROLE,
    "CANARY_PERCENT": "50",
    "BAKE_SECONDS": "1",
}
REVIEWED = Environment(reviewers=("owner",))
COPIED = ("InferenceSpecification", "ModelMetrics", "CustomerMetadataProperties", "MetadataProperties")


class Deployments:
    """The repository, and its account with one registered model; `environments` and `variables` can be changed."""

    def __init__(self, commit: Path, work: Path) -> None:
        self.work = work
        self.api = GitHubApi()
        self.account = Account(work / "root")
        self.account.make_bucket()
        self.gate = Gatekeeper(self.account.environment["AWS_ENDPOINT_URL"], permissions())
        self.github = GitHub(commit, work, api_url=self.api.url, aws={"AWS_ENDPOINT_URL": self.gate.url}, trust=trust())
        self._numbers = count(1)
        self.reset()
        self.training = self.run("main.yml", Event("push"))
        assert self.training.result == "success", self.training["pipeline/pipeline"].log
        self.refused_in_training = list(self.gate.refused)
        (self.first,) = self.account.packages()

    def reset(self) -> None:
        """Set the repository up as documented, and forget what was asked."""
        self.github.variables = dict(VARIABLES)
        self.api.environments.clear()
        self.api.environments |= {"staging": Environment(), "production": REVIEWED, "approval": Environment()}
        self.github.environments = self.api.environments
        self.gate.reset()

    def run(self, workflow: str, event: Event) -> Run:
        """Run a workflow on machines of its own."""
        self.latest_work = self.work / f"run-{next(self._numbers)}"
        return run_workflow(workflow, replace(self.github, work=self.latest_work), event)

    def deploy(self, package: str, **inputs: str) -> Run:
        """Run the workflow by hand."""
        return self.run("deploy.yml", Event("workflow_dispatch", inputs={"model-package-arn": package, **inputs}))

    def decide(self, package: str, decision: str, **inputs: str) -> Run:
        """Run the workflow that approves and rejects."""
        named = {"version": package, "decision": decision, **inputs}
        return self.run("approve.yml", Event("workflow_dispatch", inputs=named))

    def register(self, *, group: str = GROUP, approval: str = "Approved", **properties: str) -> str:
        """Register the first model as one more version, with other properties in the registry, and return its ARN."""
        first = self.describe(self.first)
        copied = {name: first[name] for name in COPIED if name in first}
        copied["CustomerMetadataProperties"] = {**first["CustomerMetadataProperties"], **properties}
        answer = self.account.client.create_model_package(
            ModelPackageGroupName=group, ModelApprovalStatus=approval, **copied
        )
        return str(answer["ModelPackageArn"])

    def describe(self, package: str) -> Mapping[str, Any]:
        """Return a model package as it is now."""
        described: Mapping[str, Any] = self.account.client.describe_model_package(ModelPackageName=package)
        return described

    def serving(self, stage: str) -> str:
        """Return the ARN of the model package that a stage serves."""
        client = self.account.client
        endpoint = client.describe_endpoint(EndpointName=f"{GROUP}-{stage}")
        assert endpoint["EndpointStatus"] == "InService"
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        model = client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return str(model["Containers"][0]["ModelPackageName"])

    @property
    def made(self) -> Counter[str]:
        """What was made or changed since the last reset, by action."""
        words = ("Create", "Put", "Update", "Delete", "Add")
        actions = (request.action for _, request in self.gate.asked)
        return Counter(action for action in actions if action.partition(":")[2].startswith(words))

    def close(self) -> None:
        """Delete the endpoints, whose processes outlive everything else, and free the ports."""
        client = self.account.client
        for entry in client.list_endpoints()["Endpoints"]:
            client.delete_endpoint(EndpointName=entry["EndpointName"])
            client.get_waiter("endpoint_deleted").wait(
                EndpointName=entry["EndpointName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
            )
        self.gate.close()
        self.account.close()
        self.api.close()
