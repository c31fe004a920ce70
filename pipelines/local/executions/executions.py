"""The life of executions: each runs in a thread of the process that started it."""

import atexit
import logging
import secrets
import string
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakSet

from pipelines.local.cache import Cache
from pipelines.local.containers.stop import Stop
from pipelines.local.database import AlreadyExists, Document
from pipelines.local.definition import Definition, Step, parse_definition
from pipelines.local.engine import Engine, StepEnd
from pipelines.local.errors import ConflictError, StateError, StepFailure
from pipelines.local.executions.preflight import preflight
from pipelines.local.executions.recorder import Recorder
from pipelines.local.executions.records import ACTIVE, EXECUTION, RUNNING, STEPS_FAILED, Records
from pipelines.local.executions.recovery import REASON, recover
from pipelines.local.executions.scopes import execution_scope
from pipelines.local.executions.selection import Selection, select, succeeded_steps
from pipelines.local.expressions.parameters import bind_parameters
from pipelines.local.expressions.resolve import Scope
from pipelines.local.jobs.machine import Machine
from pipelines.local.ownership import Ownership
from pipelines.local.registry import Registry
from pipelines.local.steps.step_context import StepContext, StepResult
from pipelines.local.steps.step_types import run_step

logger = logging.getLogger(__name__)

ID_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Run:
    """What an engine is to run: the rest of an execution, from the steps that ended already."""

    arn: str
    definition: Definition
    ended: Mapping[str, StepEnd]
    selected: frozenset[str] | None = None


class Executions:
    """Starts, stops, retries and recovers executions."""

    def __init__(self, machine: Machine, registry: Registry, cache: Cache, ownership: Ownership) -> None:
        self._machine = machine
        self._registry = registry
        self._cache = cache
        self._ownership = ownership
        self._stops: dict[str, Stop] = {}
        self._lost: dict[str, str] = {}
        self._threads: list[threading.Thread] = []
        self.records = Records(machine.database)

    def start(self, pipeline: Document, definition_text: str, request: Document) -> str:
        """Start an execution; `request` is that of StartPipelineExecution.

        Raises:
            ServiceError: the parameters or the selection are not allowed; nothing was written.
        """
        definition = parse_definition(definition_text, self._machine.model)
        given = {entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters", ())}
        parameters = bind_parameters(definition, given)
        config = request.get("SelectiveExecutionConfig")
        selection = select(definition, config, self.records) if config else None
        execution = self._describe_new(pipeline, parameters, request)
        preflight(definition, execution_scope(self._machine, self.records, execution, definition))
        arn: str = execution["PipelineExecutionArn"]
        with self._machine.database.transaction():
            self._machine.database.insert(EXECUTION, arn, execution)
            self._own(arn)
            self._write_reused_steps(arn, selection)
        ended = selection.reused if selection else {}
        self._launch(Run(arn, definition, ended, selection.selected if selection else None))
        return arn

    def _describe_new(self, pipeline: Document, parameters: Document, request: Document) -> Document:
        identity = "".join(secrets.choice(ID_LETTERS) for _ in range(12))
        now = time.time()
        parallelism = request.get("ParallelismConfiguration") or pipeline.get("ParallelismConfiguration")
        optional = {
            "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
            "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
            "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig"),
            "ParallelismConfiguration": parallelism,
        }
        return {
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{identity}",
            "PipelineExecutionStatus": "Executing",
            "CreationTime": now,
            "LastModifiedTime": now,
            "PipelineVersionId": pipeline["PipelineVersionId"],
            "RoleArn": request.get("RoleArn") or pipeline["RoleArn"],
            "Pipeline": pipeline["PipelineName"],
            "Parameters": parameters,
            **{name: value for name, value in optional.items() if value},
        }

    def _write_reused_steps(self, arn: str, selection: Selection | None) -> None:
        for sequence, (name, end) in enumerate(sorted(selection.reused.items()) if selection else (), start=1):
            now = time.time()
            assert selection is not None
            assert end.result is not None
            shown = {
                "StepName": name,
                "StartTime": now,
                "EndTime": now,
                "StepStatus": end.status,
                "Metadata": end.result.metadata,
                "SelectiveExecutionResult": {"SourcePipelineExecutionArn": selection.source},
            }
            self.records.put_step(arn, {"Step": shown, "Sequence": sequence})

    def retry(self, arn: str, parallelism: Document | None) -> None:
        """Run a failed or stopped execution again from the steps that did not succeed.

        Raises:
            ConflictError: it runs, it succeeded, or it ended by a Fail step.
        """
        with self._machine.database.transaction():
            execution = self.records.execution(arn)
            self._require_retryable(execution)
            for document in self.records.steps(arn):
                if document["Step"]["StepStatus"] != "Succeeded":
                    self.records.delete_step(arn, document["Step"]["StepName"])
            execution.pop("FailureReason", None)
            if parallelism:
                execution["ParallelismConfiguration"] = parallelism
            self._machine.database.put(EXECUTION, arn, {**execution, "PipelineExecutionStatus": "Executing"})
            self._own(arn)
        definition = parse_definition(self.records.definition(execution), self._machine.model)
        self._launch(Run(arn, definition, succeeded_steps(self.records, arn), _selected(execution)))

    def _require_retryable(self, execution: Document) -> None:
        arn, status = execution["PipelineExecutionArn"], execution["PipelineExecutionStatus"]
        if status not in ("Failed", "Stopped"):
            raise ConflictError(f"Only a failed or stopped execution can be retried; {arn} is {status}.")
        if any(document.get("Type") == "Fail" for document in self.records.steps(arn)):
            raise ConflictError(f"{arn} was ended by a Fail step and cannot be retried; start a new execution.")

    def _own(self, arn: str) -> None:
        try:
            self._machine.database.insert(RUNNING, arn, {"Owner": self._ownership.owner, "Arn": arn})
        except AlreadyExists as error:
            raise ConflictError(f"{arn} is running.") from error

    def _launch(self, run: Run) -> None:
        stop = self._stops[run.arn] = Stop()
        _stop_at_exit(self)
        thread = threading.Thread(target=self._run, args=(run, stop), name=f"execution {run.arn[-12:]}", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _run(self, run: Run, stop: Stop) -> None:
        try:
            status = self._engine(run, stop).run()
            if run.arn not in self._lost:
                self.records.finish_execution(run.arn, status, STEPS_FAILED if status == "Failed" else None)
        # Nobody waits for this thread: whoever asks for the execution next finds it failed, by `recover`.
        except StateError as error:
            self._lose(run.arn, error)
        except Exception:
            logger.exception("Execution %s ended by an error of the local SageMaker itself", run.arn)
            self._lost[run.arn] = REASON
        finally:
            del self._stops[run.arn]

    def _lose(self, arn: str, error: StateError) -> None:
        logger.error("Execution %s: %s", arn, error)
        self._lost[arn] = f"InternalServerError: {error}"

    def _run_step(self, step: Step, scope: Scope, context: StepContext) -> StepResult:
        try:
            return run_step(step, scope, context)
        except StateError as error:
            # The job may have an end that nobody can read.
            self._lose(context.execution_arn, error)
            raise StepFailure(self._lost[context.execution_arn]) from error

    def _engine(self, run: Run, stop: Stop) -> Engine:
        execution = self.records.execution(run.arn)
        recorder = Recorder(self.records, run.arn, stop)
        context = StepContext(
            machine=self._machine,
            registry=self._registry,
            cache=self._cache,
            pipeline=execution["Pipeline"],
            execution_arn=run.arn,
            stop=stop,
            announce=recorder.announce,
        )
        scope = execution_scope(self._machine, self.records, execution, run.definition)
        return Engine(
            run.definition,
            lambda step: self._run_step(step, scope, context),
            recorder,
            stop,
            ended=run.ended,
            selected=run.selected,
        )

    def stop(self, arn: str) -> None:
        """Ask an execution to stop, in whichever process it runs.

        Raises:
            ConflictError: it has ended.
        """
        with self._machine.database.transaction():
            status = self.records.execution(arn)["PipelineExecutionStatus"]
            if status not in ACTIVE:
                raise ConflictError(f"{arn} is {status}: only an execution that runs can be stopped.")
            self.records.update_execution(arn, PipelineExecutionStatus="Stopping")
        stop = self._stops.get(arn)
        if stop:
            stop.set()

    def recover(self) -> None:
        """Mark as failed what processes that are gone have left running."""
        for running in self._machine.database.list(RUNNING):
            arn = running["Arn"]
            # One that is lost may still have steps that run.
            if arn in self._stops:
                continue
            if arn in self._lost or not self._ownership.is_alive(running["Owner"]):
                recover(self._machine, self.records, arn, self._lost.get(arn, REASON))
                self._lost.pop(arn, None)

    def stop_all(self) -> int:
        """Stop every execution of this process, wait until they have ended, and return how many there were."""
        stops = list(self._stops.values())
        for stop in stops:
            stop.set()
        for thread in list(self._threads):
            thread.join()
        return len(stops)


_started: WeakSet[Executions] = WeakSet()


def _stop_at_exit(executions: Executions) -> None:
    """Let a process that ends stop what it runs, before the hosts of the jobs are ended."""
    _started.add(executions)
    atexit.unregister(_stop_all)
    atexit.register(_stop_all)


def _stop_all() -> None:
    count = sum(executions.stop_all() for executions in list(_started))
    if count:
        logger.warning("%d running executions were stopped, for their process ended: wait for them next time", count)


def _selected(execution: Document) -> frozenset[str] | None:
    config = execution.get("SelectiveExecutionConfig")
    return frozenset(step["StepName"] for step in config["SelectedSteps"]) if config else None
