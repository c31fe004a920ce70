"""The whole loop of a project, from a commit to production, as each provider runs it and each role asks for it."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from itertools import chain
from pathlib import Path
from typing import Any

from tests.iam.adoption import Adoption, Asked, Roles, here
from tests.iam.calls import Call
from tests.iam.evaluator import Request
from tests.iam.platforms import (
    Bucket,
    network_of,
    of_build,
    of_endpoint,
    of_execution,
    of_image,
    of_job,
    of_model,
    of_network,
    of_package,
)
from tests.project_template.stack import TEMPLATE, Stack
from tests.workflows.account import REGION
from tests.workflows.codebuild import Build
from tests.workflows.conftest import copy_tree
from tests.workflows.eventbridge import state_change
from tests.workflows.files import BUILDSPEC, DEPLOY_BUILDSPEC, REPOSITORY
from tests.workflows.github import Event
from tests.workflows.shell import plain_environment

PENDING = "PendingManualApproval"


@dataclass(frozen=True)
class Loop:
    """What the roles of a project asked for, and the requests that they sent."""

    roles: Roles
    asked: list[Asked]
    calls: list[tuple[str, Call]]

    def save(self, file: Path) -> None:
        """Keep what was recorded, so that other processes of the tests need not record it again."""
        asked = [(each.role, each.request.action, each.request.resource, each.request.context) for each in self.asked]
        calls = [
            (role, call.method, call.path, call.headers.items(), b64encode(call.body).decode())
            for role, call in self.calls
        ]
        file.write_text(json.dumps({"asked": asked, "calls": calls}))


def load(file: Path, parameters: Mapping[str, str]) -> Loop:
    """Return the loop that was recorded with the template's parameters."""
    kept = json.loads(file.read_text())
    asked = [Asked(role, Request(*request)) for role, *request in kept["asked"]]
    calls = []
    for role, method, path, headers, body in kept["calls"]:
        message = Message()
        for name, value in headers:
            message[name] = value
        calls.append((role, Call(method, path, message, b64decode(body))))
    return Loop(Roles(Stack(TEMPLATE, parameters)), asked, calls)


class Recorder:
    """Adds what services ask for to what a project's roles ask for themselves."""

    def __init__(self, adoption: Adoption) -> None:
        self.adoption = adoption
        self._asked: list[Asked] = []

    def ask(self, role: str, source: str, requests: Iterator[Request]) -> None:
        """Keep what a service asks for as a role, which must be for that of its resources."""
        service = source.split(":")[2]
        assert self.adoption.roles.is_for(role, service, source), f"{role} is not for {source}"
        self._asked += [Asked(role, request) for request in requests]

    def end(self) -> Loop:
        """Return what was recorded, without what was asked for again."""
        asked = {str((each.role, each.request)): each for each in [*self.adoption.asked, *self._asked]}
        return Loop(self.adoption.roles, list(asked.values()), self.adoption.calls)


def make_commit(folder: Path, name: str, **settings: object) -> Path:
    """Make a commit of a project's own repository, as `init-project` leaves it."""
    commit = copy_tree(REPOSITORY, folder)
    file = commit / "pipelines" / "fraud" / "settings.json"
    names = dict.fromkeys(("pipeline_name", "model_package_group_name", "base_job_prefix"), name)
    file.write_text(json.dumps(json.loads(file.read_text()) | names | settings))
    return commit


def record_github(adoption: Adoption) -> Loop:
    """Record a commit that is trained and tuned, one that breaks, approvals, deployments, and the ways back."""
    recorder, name = Recorder(adoption), adoption.name
    built = adoption.run("main.yml", Event("push"))
    assert built.result == "success", built["pipeline/pipeline"].log
    (package,) = packages(adoption)
    execution = adoption.account.executions(name)[0]
    # Before anybody approves what it registered.
    recorder.ask("PipelineExecutionRole", execution, _of_pipeline(adoption, execution))
    _call(adoption, "BuildRole", "run-pipeline", "--follow", execution)
    broken = make_commit(adoption.work / "broken", name)
    (broken / "pipelines" / "fraud" / "steps" / "train.py").write_text('raise SystemExit("broken on purpose")\n')
    assert adoption.run("main.yml", Event("push"), commit=broken, sha="b" * 40).result == "failure"
    failing = adoption.register(package, approval="Approved", RocAuc="0.99")
    assert _deploy(adoption, {"model-package-arn": failing, "stage": "staging"}) == "failure"
    decided = adoption.run(
        "approve.yml", Event("workflow_dispatch", inputs={"version": package, "decision": "approve"})
    )
    assert decided.result == "success", decided["decision"].log
    ((rule, request),) = adoption.send(state_change(adoption.describe(package), "ModelApprovalStatus"))
    assert _deploy(adoption, request["inputs"]) == "success"
    again = adoption.register(package, approval="Approved")
    assert _deploy(adoption, {"model-package-arn": again, "stage": "staging"}) == "success"
    _call(adoption, "StagingRole", "deploy-model", "--stage", "staging", "--rollback")
    _sent(recorder, rule)
    for endpoint in adoption.account.client.list_endpoints()["Endpoints"]:
        recorder.ask("EndpointRole", endpoint["EndpointArn"], _of_endpoint(adoption, endpoint["EndpointName"]))
    return recorder.end()


def record_codebuild(adoption: Adoption, commit: Path) -> Loop:
    """Record the builds of a commit and of both stages, as webhook, events and schedule start them."""
    recorder, known = Recorder(adoption), set(packages(adoption))
    _built(recorder, "BuildProject", BUILDSPEC, [], commit)
    (package,) = set(packages(adoption)) - known
    client = adoption.account.client
    client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    _deployed(recorder, package, "ModelApprovalStatus", commit)
    cycle = {"Stage": "production", "StageStatus": "Approved", "StageDescription": "looked at in staging"}
    client.update_model_package(ModelPackageArn=package, ModelLifeCycle=cycle)
    _deployed(recorder, package, "ModelLifeCycle", commit)
    (retrain,) = (
        name for name, rule in adoption.roles.stack.of_type("AWS::Events::Rule").items() if "ScheduleExpression" in rule
    )
    _sent(recorder, retrain)
    project = _properties(adoption, "PullRequestBuildProject")
    # It calls nothing of AWS itself, so there is nothing to be recorded.
    nothing = Build({}, "", (), {}, adoption.work)
    arn = adoption.roles.arn("PullRequestBuildProject")
    recorder.ask("PullRequestRole", arn, of_build(nothing, project, connection=_connection(adoption), key=None))
    return recorder.end()


def packages(adoption: Adoption) -> list[str]:
    """Return the ARNs of the project's model packages."""
    return [arn for arn in adoption.account.packages() if f"model-package/{adoption.name}/" in arn]


def _deploy(adoption: Adoption, inputs: Mapping[str, str]) -> str:
    return adoption.run("deploy.yml", Event("workflow_dispatch", inputs=inputs)).result


def _call(adoption: Adoption, role: str, command: str, *arguments: str) -> None:
    """Call a command by hand with what a role may do."""
    environment = {
        **plain_environment(adoption.work),
        "PYTHONPATH": str(adoption.github.source),
        "AWS_ENDPOINT_URL": adoption.gate.url,
        "AWS_ACCESS_KEY_ID": "ASIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": adoption.roles.arn(role),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "SAGEMAKER_ENDPOINT_ROLE_ARN": adoption.roles.arn("EndpointRole"),
    }
    module = f"pipelines.{command.replace('-', '_')}"
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=adoption.github.source,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr + os.linesep


def _built(recorder: Recorder, project: str, buildspec: Path, overridden: list[dict[str, str]], commit: Path) -> None:
    adoption = recorder.adoption
    build = adoption.build(project, buildspec, overridden, commit=commit)
    assert build.succeeded, build.log
    properties = _properties(adoption, project)
    key = adoption.roles.outputs.get("EndpointKeyArn")
    role = {adoption.roles.arn(name): name for name in adoption.roles.names}[properties["ServiceRole"]]
    recorder.ask(
        role, adoption.roles.arn(project), of_build(build, properties, connection=_connection(adoption), key=key)
    )


def _deployed(recorder: Recorder, package: str, changed: str, commit: Path) -> None:
    adoption = recorder.adoption
    ((rule, request),) = adoption.send(state_change(adoption.describe(package), changed))
    _sent(recorder, rule)
    (target,) = here(adoption.roles.stack.of_type("AWS::Events::Rule")[rule]["Targets"])
    stack = adoption.roles.stack
    (project,) = (
        name for name in stack.of_type("AWS::CodeBuild::Project") if adoption.roles.arn(name) == target["Arn"]
    )
    _built(recorder, project, DEPLOY_BUILDSPEC, request["environmentVariablesOverride"], commit)


def _sent(recorder: Recorder, rule: str) -> None:
    recorder.ask("EventsRole", recorder.adoption.roles.arn(rule), _of_rule(recorder.adoption, rule))


def _of_rule(adoption: Adoption, rule: str) -> Iterator[Request]:
    for target in here(adoption.roles.stack.of_type("AWS::Events::Rule")[rule]["Targets"]):
        service = target["Arn"].split(":")[2]
        yield Request(
            {"codebuild": "codebuild:StartBuild", "events": "events:InvokeApiDestination"}[service], target["Arn"]
        )


def _of_pipeline(adoption: Adoption, execution: str) -> Iterator[Request]:
    client, bucket = adoption.account.client, _bucket(adoption)
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    done = [(kind, told["Arn"]) for step in steps for kind, told in step["Metadata"].items() if "Arn" in told]
    describe = {
        "ProcessingJob": lambda name: client.describe_processing_job(ProcessingJobName=name),
        "TrainingJob": lambda name: client.describe_training_job(TrainingJobName=name),
        "TuningJob": lambda name: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
    }
    for kind, arn in done:
        if kind in describe:
            job = describe[kind](arn.rpartition("/")[2])
            yield from chain(of_job(arn, job, bucket), of_network(network_of(job), _vpc(adoption)))
        elif kind == "RegisterModel":
            yield from of_package(adoption.describe(arn))
        elif kind == "Model":
            yield from of_model(client.describe_model(ModelName=arn.rpartition("/")[2]))
    yield from of_execution(execution, [arn for kind, arn in done if kind in describe])


def _of_endpoint(adoption: Adoption, name: str) -> Iterator[Request]:
    client = adoption.account.client
    endpoint = client.describe_endpoint(EndpointName=name)
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    package: Any = adoption.describe(model["Containers"][0]["ModelPackageName"])
    (container,) = package["InferenceSpecification"]["Containers"]
    served = of_endpoint(config, name, container["ModelDataUrl"], _bucket(adoption))
    return chain(served, of_image(container["Image"]), of_network(model["VpcConfig"], _vpc(adoption)))


def _bucket(adoption: Adoption) -> Bucket:
    outputs = adoption.roles.outputs
    return Bucket(adoption.account.s3, outputs["ArtifactBucket"], outputs.get("EndpointKeyArn"))


def _properties(adoption: Adoption, project: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = here(adoption.roles.stack.resources[project]["Properties"])
    return properties


def _vpc(adoption: Adoption) -> str:
    return str(adoption.roles.stack.parameters["VpcId"])


def _connection(adoption: Adoption) -> str:
    return str(here(adoption.roles.stack.parameters["ConnectionArn"]))
