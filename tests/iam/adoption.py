"""A project of the template in an account: its repository, builds and events, and what each role asks IAM for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.iam.calls import ACCOUNT, FREE, Call
from tests.iam.evaluator import Policy, Request, allows, trusts
from tests.iam.gatekeeper import Gatekeeper
from tests.project_template.identities import ACCOUNT as EXAMPLE
from tests.project_template.stack import TEMPLATE, Stack
from tests.workflows.account import REGION, Account
from tests.workflows.codebuild import Build, run_build
from tests.workflows.eventbridge import Event as Change
from tests.workflows.eventbridge import matches, transformed
from tests.workflows.github import Environment, Event, GitHub
from tests.workflows.github_api import GitHubApi
from tests.workflows.runner import Run, run_workflow

EVENTS = "EventsRole"
COPIED = ("InferenceSpecification", "ModelMetrics", "CustomerMetadataProperties", "MetadataProperties")
# What CloudWatch keeps of a job that failed, which nothing here is asked for but this.
LOGS = {
    "DescribeLogStreams": {"logStreams": [{"logStreamName": "job/algo-1"}]},
    "GetLogEvents": {"events": [{"timestamp": 1, "message": "broken on purpose", "ingestionTime": 1}]},
}


@dataclass(frozen=True)
class Roles:
    """The roles of a stack, by their logical ids, as they are in the account here."""

    stack: Stack

    @property
    def names(self) -> tuple[str, ...]:
        """The logical ids of all roles."""
        return tuple(self.stack.of_type("AWS::IAM::Role"))

    def arn(self, name: str) -> str:
        """Return the ARN of a resource of the stack."""
        return str(here(self.stack.arn(name)))

    def permissions(self, name: str) -> Policy:
        """Return all that a role may do."""
        policy: Policy = here(self.stack.policy(name))
        return policy

    def trust(self, name: str) -> Policy:
        """Return whom a role trusts."""
        policy: Policy = here(self.stack.trust(name))
        return policy

    def is_for(self, name: str, service: str, source: str) -> bool:
        """Return whether a service may take a role on for one of its resources in the account."""
        asked = Request("sts:AssumeRole", self.arn(name), {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source})
        return trusts(self.trust(name), ("Service", f"{service}.amazonaws.com"), asked)

    def is_allowed(self, asked: "Asked") -> bool:
        """Return whether a role may do what it asks for."""
        return asked.request.action in FREE or allows(self.permissions(asked.role), asked.request)

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the stack tells its adopter, by the names of the outputs."""
        told: Mapping[str, str] = here(self.stack.outputs)
        return told

    @property
    def variables(self) -> dict[str, str]:
        """What the stack tells its adopter to set as variables of the repository."""
        document = self.stack.document["Outputs"]
        return {document[name]["Description"]: value for name, value in self.outputs.items()}


@dataclass(frozen=True)
class Asked:
    """A question to IAM about a role, by its logical id."""

    role: str
    request: Request


def here(value: Any) -> Any:
    """Return what is said about the example's account as about the one here."""
    return json.loads(json.dumps(value).replace(EXAMPLE, ACCOUNT))


class Adoption:
    """A repository and an account with a stack of the template; whatever a role may not do there is refused."""

    def __init__(self, parameters: Mapping[str, str], commit: Path, work: Path, account: Account) -> None:
        self.roles = Roles(Stack(TEMPLATE, parameters))
        self.name = self.roles.outputs["ProjectName"]
        self.work = work
        self.account = account
        self.api = GitHubApi()
        self.api.environments |= {
            "staging": Environment(),
            "production": Environment(reviewers=("owner",)),
            "approval": Environment(),
        }
        named = {self.roles.arn(name): name for name in self.roles.names}
        self.gate = Gatekeeper(
            account.environment["AWS_ENDPOINT_URL"],
            {arn: self.roles.permissions(name) for arn, name in named.items()},
            key=self.roles.outputs.get("EndpointKeyArn"),
        )
        self.gate.answers = dict(LOGS)
        self._named = named
        self._numbers = count(1)
        self.github = GitHub(
            commit,
            work,
            variables=self.roles.variables | {"CANARY_PERCENT": "50", "BAKE_SECONDS": "1"},
            api_url=self.api.url,
            aws={"AWS_ENDPOINT_URL": self.gate.url},
            trust={arn: self.roles.trust(name) for arn, name in named.items()},
            environments=self.api.environments,
        )

    def run(self, workflow: str, event: Event, *, commit: Path | None = None, sha: str = "1" * 40) -> Run:
        """Run a workflow on machines of its own, at another commit if given."""
        work = self.work / f"run-{next(self._numbers)}"
        github = replace(self.github, work=work, source=commit or self.github.source, sha=sha)
        return run_workflow(workflow, github, event)

    def build(self, project: str, buildspec: Path, overridden: list[dict[str, str]], *, commit: Path) -> Build:
        """Run a build of a CodeBuild project of the stack, by its logical id."""
        properties = here(self.roles.stack.resources[project]["Properties"])
        variables = {
            "AWS_ENDPOINT_URL": self.gate.url,
            "AWS_ACCESS_KEY_ID": "ASIATEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": properties["ServiceRole"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "CODEBUILD_RESOLVED_SOURCE_VERSION": "2" * 40,
            "CODEBUILD_BUILD_ID": f"{properties['Name']}:1",
            **{each["Name"]: each["Value"] for each in properties["Environment"]["EnvironmentVariables"]},
            "BAKE_SECONDS": "1" if "production" in properties["Name"] else "",
            **{each["name"]: each["value"] for each in overridden},
        }
        return run_build(buildspec, commit, self.work / f"build-{next(self._numbers)}", variables)

    def send(self, change: Change) -> list[tuple[str, Any]]:
        """Return what targets of the stack get of an event, by the logical ids of the rules that are about it."""
        sent = []
        for name, rule in self.roles.stack.of_type("AWS::Events::Rule").items():
            if "EventPattern" in rule and matches(rule["EventPattern"], change):
                (target,) = rule["Targets"]
                sent.append((name, transformed(target, change)))
        return sent

    def register(self, package: str, *, approval: str, **properties: str) -> str:
        """Register a package once more, with other properties, and return its ARN."""
        first = self.describe(package)
        copied = {name: first[name] for name in COPIED if name in first}
        copied["CustomerMetadataProperties"] = {**first["CustomerMetadataProperties"], **properties}
        answer = self.account.client.create_model_package(
            ModelPackageGroupName=self.name, ModelApprovalStatus=approval, **copied
        )
        return str(answer["ModelPackageArn"])

    def describe(self, package: str) -> Mapping[str, Any]:
        """Return a model package as it is now."""
        described: Mapping[str, Any] = self.account.client.describe_model_package(ModelPackageName=package)
        return described

    @property
    def asked(self) -> list[Asked]:
        """What the roles asked for until now."""
        return [Asked(self._named[arn], request) for arn, request in self.gate.asked]

    @property
    def calls(self) -> list[tuple[str, Call]]:
        """The requests of the roles until now."""
        return [(self._named[arn], call) for arn, call in self.gate.calls]

    def close(self) -> None:
        """Delete the endpoints, whose processes outlive everything else, and free the ports."""
        client = self.account.client
        for entry in client.list_endpoints(NameContains=self.name)["Endpoints"]:
            client.delete_endpoint(EndpointName=entry["EndpointName"])
            client.get_waiter("endpoint_deleted").wait(
                EndpointName=entry["EndpointName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
            )
        self.gate.close()
        self.api.close()
