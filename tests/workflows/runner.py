"""Runs a workflow as GitHub does: jobs in their order, steps with bash, actions by their stand-ins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.workflows.actions import ActionError, Job, use
from tests.workflows.expressions import Functions, Lenient, Scope, holds, interpolate, to_json
from tests.workflows.github import Event, GitHub
from tests.workflows.shell import FILES, install_commands, plain_environment, read_assignments, run_bash

Result = Literal["success", "failure", "skipped"]
# YAML 1.1 takes the key `on` for true.
Document = Mapping[Any, Any]
ON = True
FOLDER = Path(".github/workflows")
TOOLS = {"gh": f'"{Path(__file__).parent / "fake_gh.py"}"'}


@dataclass(frozen=True)
class StepRun:
    """What became of a step."""

    name: str
    result: Result
    log: str = ""
    code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class JobRun:
    """What became of a job."""

    name: str
    result: Result = "success"
    steps: list[StepRun] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def step(self, name: str) -> StepRun:
        """Return the step of that name."""
        return next(step for step in self.steps if step.name == name)

    @property
    def log(self) -> str:
        """All that the steps wrote."""
        return "\n".join(step.log for step in self.steps)


class Run(dict[str, JobRun]):
    """What became of a workflow, by job; those of a workflow that is called have its name before theirs."""

    @property
    def result(self) -> Result:
        """What GitHub shows for the commit."""
        return "failure" if any(job.result == "failure" for job in self.values()) else "success"


def run_workflow(name: str, github: GitHub, event: Event) -> Run:
    """Run a workflow of the source tree for an event that it listens to."""
    document = _read(github.source / FOLDER / name)
    if event.name not in document[ON]:
        raise ValueError(f"{name} is not about {event.name}")
    return Run(_jobs(document, github, event, _inputs(document[ON], event)))


def _inputs(listens: Document, event: Event) -> Lenient:
    """Return the inputs with their defaults; what GitHub's API refuses with 422 is refused."""
    form = (listens[event.name] or {}).get("inputs", {}) if event.name == "workflow_dispatch" else {}
    if unknown := set(event.inputs) - set(form):
        raise ValueError(f"Unexpected inputs provided: {sorted(unknown)}")
    given = {name: event.inputs.get(name) or entry.get("default", "") for name, entry in form.items()}
    for name, entry in form.items():
        if entry.get("required") and not given[name]:
            raise ValueError(f"Required input '{name}' not provided")
        if entry["type"] == "choice" and given[name] not in entry["options"]:
            raise ValueError(f"Provided value '{given[name]}' for input '{name}' not in the list of allowed values")
    return Lenient(given)


def _jobs(
    document: Document, github: GitHub, event: Event, inputs: Lenient, prefix: str = ""
) -> Iterator[tuple[str, JobRun]]:
    done: dict[str, JobRun] = {}
    for key, job in document["jobs"].items():
        needed = {name: done[name] for name in _names(job.get("needs", []))}
        above = {name: done[name] for name in _ancestors(key, document["jobs"])}
        workspace = github.work / f"{prefix}{key}".replace("/", "-") / "workspace"
        machine = Job(github, workspace, job.get("permissions", document["permissions"]), event.ref)
        scope = _job_scope(machine, event, inputs, needed, above)
        if not holds(job.get("if"), scope, implied=partial(_all_succeeded, above)):
            done[key] = JobRun(key, "skipped")
        elif not _is_let_in(job, machine, scope):
            done[key] = JobRun(key, "failure")
        elif "uses" in job:
            called = _call(job, machine, event, scope, f"{prefix}{key}/")
            yield from called.items()
            done[key] = JobRun(key, called.result)
        else:
            scope = _job_scope(machine, event, inputs, needed, above)
            done[key] = _JobRunner(key, job, machine, event, scope).run()
        yield f"{prefix}{key}", done[key]


def _ancestors(key: str, jobs: Document) -> list[str]:
    """Return all jobs before a job: to GitHub, one that was skipped far above is no success either."""
    needed = _names(jobs[key].get("needs", []))
    return [*needed, *(name for above in needed for name in _ancestors(above, jobs))]


def _is_let_in(job: Document, machine: Job, scope: Scope) -> bool:
    """Put a job into its environment, and return whether its reviewers let it run there."""
    machine.environment = interpolate(job["environment"], scope) if "environment" in job else None
    return machine.github.environment_of(machine.environment).is_approved


def _call(job: Document, machine: Job, event: Event, scope: Scope, prefix: str) -> Run:
    document = _read(machine.github.source / job["uses"].removeprefix("$/"))
    declared = document[ON]["workflow_call"]["inputs"]
    given = {name: interpolate(str(value), scope) for name, value in job.get("with", {}).items()}
    if unknown := set(given) - set(declared):
        raise ValueError(f"{job['uses']} has no input {unknown}")
    for name, called in document["jobs"].items():
        # A called workflow's token can do no more than that of the job which calls it.
        beyond = {key for key in called["permissions"] if key not in machine.permissions}
        if beyond:
            raise ValueError(f"{job['uses']}: job {name} asks for {beyond}, which its caller has not")
    missing = {name for name, entry in declared.items() if entry.get("required")} - set(given)
    if missing:
        raise ValueError(f"{job['uses']} needs the input {missing}")
    defaults = {name: entry.get("default", "") for name, entry in declared.items()}
    return Run(_jobs(document, machine.github, event, Lenient({**defaults, **given}), prefix))


def _job_scope(
    machine: Job, event: Event, inputs: Lenient, needed: Mapping[str, JobRun], above: Mapping[str, JobRun]
) -> Scope:
    token = ",".join(f"{name}={level}" for name, level in machine.permissions.items())
    contexts = {
        "github": machine.github.context(event, token, machine.workspace),
        "vars": machine.github.vars(machine.environment),
        "inputs": inputs,
        "needs": {name: {"result": job.result, "outputs": Lenient(job.outputs)} for name, job in needed.items()},
    }
    functions: Functions = {
        "always": lambda: True,
        "cancelled": lambda: False,
        "success": partial(_all_succeeded, above),
        "failure": lambda: any(job.result == "failure" for job in above.values()),
        "toJSON": to_json,
    }
    return Scope(contexts, functions)


class _JobRunner:
    """Runs the steps of one job."""

    def __init__(self, name: str, job: Document, machine: Job, event: Event, scope: Scope) -> None:
        self._job = job
        self._machine = machine
        self._event = event
        self._scope = scope
        self._run = JobRun(name)
        self._outputs: dict[str, Document] = {}
        self._folder = machine.workspace.parent

    def run(self) -> JobRun:
        """Run all steps whose conditions hold."""
        self._machine.workspace.mkdir(parents=True)
        install_commands(self._folder / "bin", Path(__file__).parents[2], TOOLS)
        for step in self._job["steps"]:
            done = self._step(step)
            self._run.steps.append(done)
            if "id" in step:
                self._outputs[step["id"]] = {"outputs": Lenient(done.outputs), "outcome": done.result}
            if done.result == "failure":
                self._run.result = "failure"
        scope = self._step_scope({})
        for name, value in self._job.get("outputs", {}).items():
            self._run.outputs[name] = interpolate(value, scope)
        return self._run

    def _step(self, step: Document) -> StepRun:
        variables = self._variables(step)
        scope = self._step_scope(variables)
        if not holds(step.get("if"), scope, implied=self._is_well):
            return StepRun(step["name"], "skipped")
        if "run" in step:
            return self._shell(step, variables, scope)
        inputs = {name: interpolate(_plain(value), scope) for name, value in step.get("with", {}).items()}
        try:
            return StepRun(step["name"], "success", outputs=use(step["uses"], inputs, self._machine))
        except ActionError as error:
            return StepRun(step["name"], "failure", log=f"{error}\n")

    def _shell(self, step: Document, variables: Mapping[str, str], scope: Scope) -> StepRun:
        files = {name: self._folder / name.lower() for name in FILES}
        for file in files.values():
            file.write_text("")
        environment = {**self._environment(), **variables, **{name: str(file) for name, file in files.items()}}
        done = run_bash(interpolate(step["run"], scope), self._machine.workspace, environment)
        self._machine.variables |= read_assignments(files["GITHUB_ENV"].read_text())
        self._machine.path += files["GITHUB_PATH"].read_text().splitlines()
        self._run.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        outputs = read_assignments(files["GITHUB_OUTPUT"].read_text())
        return StepRun(step["name"], "failure" if done.code else "success", done.log, done.code, outputs)

    def _environment(self) -> dict[str, str]:
        plain = plain_environment(self._folder)
        path = ":".join([*reversed(self._machine.path), str(self._folder / "bin"), plain["PATH"]])
        return {
            **plain,
            **self._machine.github.environment(self._event, self._machine.workspace),
            **self._machine.variables,
            "PATH": path,
        }

    def _variables(self, step: Document) -> dict[str, str]:
        found: dict[str, str] = {}
        for owner in (self._job, step):
            scope = self._step_scope(found)
            found |= {name: interpolate(_plain(value), scope) for name, value in owner.get("env", {}).items()}
        return found

    def _step_scope(self, variables: Mapping[str, str]) -> Scope:
        contexts = {**self._scope.contexts, "steps": self._outputs, "env": variables}
        functions: Functions = {
            **self._scope.functions,
            "success": self._is_well,
            "failure": lambda: not self._is_well(),
            "hashFiles": self._hash_files,
        }
        return Scope(contexts, functions)

    def _is_well(self) -> bool:
        return self._run.result == "success"

    def _hash_files(self, pattern: str) -> str:
        return "0" * 64 if any(self._machine.workspace.glob(pattern)) else ""


def _all_succeeded(needed: Mapping[str, JobRun]) -> bool:
    return all(job.result == "success" for job in needed.values())


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(path: Path) -> Document:
    document: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document
