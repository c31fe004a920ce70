"""The whole loop of a project, from a commit to production, as each provider runs it and each role asks for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from tests.iam.adoption import Adoption, Asked, here
from tests.iam.calls import Call
from tests.iam.evaluator import Request
from tests.iam.platforms import (
    Bucket,
    of_build,
    of_endpoint,
    of_execution,
    of_image,
    of_job,
    of_model,
    of_package,
)
from tests.workflows.account import REGION
from tests.workflows.codebuild import Build
from tests.workflows.conftest import copy_tree
from tests.workflows.eventbridge import state_change
from tests.workflows.files import BUILDSPEC, DEPLOY_BUILDSPEC, REPOSITORY
from tests.workflows.github import Event
from tests.workflows.shell import plain_environment

PENDING = "PendingManualApproval"


@dataclass
class Loop:
    """What the roles of a project asked for, and the requests that they sent."""

    adoption: Adoption
    asked: list[Asked] = field(default_factory=list)
    calls: list[tuple[str, Call]] = field(default_factory=list)

    def ask(self, role: str, source: str, requests: Iterator[Request]) -> None:
        """Keep what a service asks for as a role, which must be for that of its resources."""
        service = source.split(":")[2]
        assert self.adoption.roles.is_for(role, service, source), f"{role} is not for {source}"
        self.asked += [Asked(role, request) for request in requests]

    def end(self) -> "Loop":
        """Keep what was recorded, without what is asked for again."""
        recorded = [*self.adoption.asked, *self.asked]
        self.asked = list({str((each.role, each.request)): each for each in recorded}.values())
        self.calls = self.adoption.calls
        return self


def make_commit(folder: Path, name: str, **settings: object) -> Path:
    """Make a commit of a project's own repository, as `init-project` leaves it."""
    commit = copy_tree(REPOSITORY, folder)
    file = commit / "pipelines" / "fraud" / "settings.json"
    names = dict.fromkeys(("pipeline_name", "model_package_group_name", "base_job_prefix"), name)
    file.write_text(json.dumps(json.loads(file.read_text()) | names | settings))
    return commit


def record_github(adoption: Adoption) -> Loop:
    """Record a commit that is trained and tuned, one that breaks, approvals, deployments, and the ways back."""
    loop, name = Loop(adoption), adoption.name
    built = adoption.run("main.yml", Event("push"))
    assert built.result == "success", built["pipeline/pipeline"].log
    (package,) = packages(adoption)
    execution = adoption.account.executions(name)[0]
    # Before anybody approves what it registered.
    loop.ask("PipelineExecutionRole", execution, _of_pipeline(adoption, execution))
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
    _sent(loop, rule)
    for endpoint in adoption.account.client.list_endpoints()["Endpoints"]:
        loop.ask("EndpointRole", endpoint["EndpointArn"], _of_endpoint(adoption, endpoint["EndpointName"]))
    return loop.end()


def record_codebuild(adoption: Adoption, commit: Path) -> Loop:
    """Record the builds of a commit and of both stages, as webhook, events and schedule start them."""
    loop, known = Loop(adoption), set(packages(adoption))
    _built(loop, "BuildProject", BUILDSPEC, [], commit)
    (package,) = set(packages(adoption)) - known
    client = adoption.account.client
    client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    _deployed(loop, package, "ModelApprovalStatus", commit)
    cycle = {"Stage": "production", "StageStatus": "Approved", "StageDescription": "looked at in staging"}
    client.update_model_package(ModelPackageArn=package, ModelLifeCycle=cycle)
    _deployed(loop, package, "ModelLifeCycle", commit)
    (retrain,) = (
        name for name, rule in adoption.roles.stack.of_type("AWS::Events::Rule").items() if "ScheduleExpression" in rule
    )
    _sent(loop, retrain)
    project = _properties(adoption, "PullRequestBuildProject")
    # It calls nothing of AWS itself, so there is nothing to be recorded.
    nothing = Build({}, "", (), {}, adoption.work)
    arn = adoption.roles.arn("PullRequestBuildProject")
    loop.ask("PullRequestRole", arn, of_build(nothing, project, connection=_connection(adoption), key=None))
    return loop.end()


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


def _built(loop: Loop, project: str, buildspec: Path, overridden: list[dict[str, str]], commit: Path) -> None:
    adoption = loop.adoption
    build = adoption.build(project, buildspec, overridden, commit=commit)
    assert build.succeeded, build.log
    properties = _properties(adoption, project)
    key = adoption.roles.outputs.get("EndpointKeyArn")
    role = {adoption.roles.arn(name): name for name in adoption.roles.names}[properties["ServiceRole"]]
    loop.ask(role, adoption.roles.arn(project), of_build(build, properties, connection=_connection(adoption), key=key))


def _deployed(loop: Loop, package: str, changed: str, commit: Path) -> None:
    adoption = loop.adoption
    ((rule, request),) = adoption.send(state_change(adoption.describe(package), changed))
    _sent(loop, rule)
    (target,) = here(adoption.roles.stack.of_type("AWS::Events::Rule")[rule]["Targets"])
    stack = adoption.roles.stack
    (project,) = (
        name for name in stack.of_type("AWS::CodeBuild::Project") if adoption.roles.arn(name) == target["Arn"]
    )
    _built(loop, project, DEPLOY_BUILDSPEC, request["environmentVariablesOverride"], commit)


def _sent(loop: Loop, rule: str) -> None:
    loop.ask("EventsRole", loop.adoption.roles.arn(rule), _of_rule(loop.adoption, rule))


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
            yield from of_job(arn, describe[kind](arn.rpartition("/")[2]), bucket)
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
    return chain(served, of_image(container["Image"]))


def _bucket(adoption: Adoption) -> Bucket:
    outputs = adoption.roles.outputs
    return Bucket(adoption.account.s3, outputs["ArtifactBucket"], outputs.get("EndpointKeyArn"))


def _properties(adoption: Adoption, project: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = here(adoption.roles.stack.resources[project]["Properties"])
    return properties


def _connection(adoption: Adoption) -> str:
    return str(here(adoption.roles.stack.parameters["ConnectionArn"]))
