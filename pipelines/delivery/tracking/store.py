"""A store of experiments as MLflow's client reaches it; this module alone imports MLflow."""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow import MlflowClient, __version__, set_tracking_uri
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store import db_migrations
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import NullPool, create_engine

from pipelines.delivery.errors import TrackingError
from pipelines.delivery.tracking.database import locked, make_database
from pipelines.delivery.tracking.limits import accepted, batches, named
from pipelines.delivery.tracking.opening import no_warnings
from pipelines.delivery.tracking.places import VARIABLE, Tracking, database_uri, without_userinfo
from pipelines.delivery.tracking.records import Record
from pipelines.delivery.wording import one_line, shortened

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ARN, KIND, RECORDED = "sagemaker.arn", "sagemaker.kind", "sagemaker.recorded"
PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
# Older pages of MLflow choose by it between what they have for trained models and for language models.
MODEL_TRAINING = {"mlflow.experimentKind": "custom_model_development"}
# What MLflow answers when another process has told a run the same since it was read, or has deleted it as a second one.
_OVERTAKEN = frozenset({"BAD_REQUEST", "INVALID_PARAMETER_VALUE"})
_ATTEMPTS = 5
# What a server says can be a page of HTML.
_LONGEST_REASON = 300


class Store:
    """Writes records so that each is one run, whoever wrote it before and however far that came.

    A run is found by the ARN of what it tells of, and, below another run, by that one too.
    """

    def __init__(self, tracking: Tracking) -> None:
        self._tracking = tracking
        with self._contact():
            if tracking.database:
                make_database(tracking.database, self._create_database)
                _check_schema(tracking.uri)
            self._mlflow = MlflowClient(tracking.uri)

    def experiment(self, name: str) -> str:
        """Return the ID of an experiment, which is made if there is none of that name."""
        with self._contact():
            if found := self._mlflow.get_experiment_by_name(name):
                return str(found.experiment_id)
            try:
                return str(self._mlflow.create_experiment(name, self._tracking.artifacts, MODEL_TRAINING))
            except MlflowException as error:
                # Somebody else has made it meanwhile.
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._mlflow.get_experiment_by_name(name)
            assert found
            return str(found.experiment_id)

    def find(self, experiment: str, arn: str) -> str | None:
        """Return the ID of the run that stands by itself, tells of what has the ARN, and is whole."""
        with self._contact():
            runs = self._search(experiment, None, [arn]).get(arn, [])
            return next((str(run.info.run_id) for run in runs if run.info.status != "RUNNING"), None)

    def write(self, experiment: str, record: Record) -> str:
        """Write a record and all below it, and return its run's ID; what is as it should be is left alone."""
        with self._contact():
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._write(experiment, None, [record])[0]
                except MlflowException as error:
                    if error.error_code not in _OVERTAKEN:
                        raise
            return self._write(experiment, None, [record])[0]

    def _write(self, experiment: str, parent: str | None, records: Sequence[Record]) -> list[str]:
        runs = self._runs(experiment, parent, records)
        for record in records:
            run = runs[record.key]
            self._fill(run, record)
            if record.children:
                self._write(experiment, run.info.run_id, record.children)
            # At last: a run that has ended is whole.
            if record.ended:
                self._mlflow.set_terminated(run.info.run_id, record.status, _milliseconds(record.ended))
        return [str(runs[record.key].info.run_id) for record in records]

    def _runs(self, experiment: str, parent: str | None, records: Sequence[Record]) -> dict[str, Run]:
        """Return the one run of each record."""
        keys = [record.key for record in records]
        found = self._search(experiment, parent, keys)
        if not found.keys() >= set(keys):
            with self._alone():
                found = self._search(experiment, parent, keys)
                for record in (record for record in records if record.key not in found):
                    self._create(experiment, parent, record)
            # At a server another process may have made some too; both keep those that were made first.
            found = self._search(experiment, parent, keys)
        for later in (run for runs in found.values() for run in runs[1:]):
            self._delete(experiment, later)
        return {key: runs[0] for key, runs in found.items()}

    def _alone(self) -> AbstractContextManager[None]:
        """Keep other processes of this machine from making runs meanwhile; servers have no such lock."""
        return locked(self._tracking.database.parent) if self._tracking.database else nullcontext()

    def _create(self, experiment: str, parent: str | None, record: Record) -> None:
        tags = {ARN: record.key, KIND: record.kind, RECORDED: f"{time.time_ns():020}"}
        if parent:
            tags[PARENT] = parent
        started = _milliseconds(record.started) if record.started else None
        self._mlflow.create_run(experiment, started, tags, record.name)

    def _delete(self, experiment: str, run: Run) -> None:
        for child in self._pages(experiment, f"tags.`{PARENT}` = '{run.info.run_id}'"):
            self._delete(experiment, child)
        self._mlflow.delete_run(run.info.run_id)

    def _search(self, experiment: str, parent: str | None, keys: Sequence[str]) -> dict[str, list[Run]]:
        """Return runs below another one, or by themselves, by their ARN, what was made first at the beginning."""
        filters = [f"tags.`{PARENT}` = '{parent}'"] if parent else [f"tags.`{ARN}` = '{key}'" for key in keys]
        found: dict[str, list[Run]] = defaultdict(list)
        for run in (run for text in filters for run in self._pages(experiment, text)):
            if run.data.tags.get(PARENT) == parent and run.data.tags.get(ARN) in keys:
                found[run.data.tags[ARN]].append(run)
        for runs in found.values():
            runs.sort(key=lambda run: (run.data.tags.get(RECORDED, ""), run.info.run_id))
        return found

    def _pages(self, experiment: str, text: str) -> Iterator[Run]:
        token: str | None = None
        while True:
            page = self._mlflow.search_runs([experiment], text, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _fill(self, run: Run, record: Record) -> None:
        """Tell a run what it does not say yet; a parameter that it has cannot be changed.

        What was measured stays as it was when the run had ended: a champion of later is none that it was held against.
        """
        known, run_id, is_whole = run.data, run.info.run_id, run.info.status != "RUNNING"
        parameters = named(record.parameters)
        metrics = named(record.metrics)
        tags = {**record.tags, NOTE: record.note or None}
        new: list[Metric | Param | RunTag] = [
            *(Param(name, accepted(value)) for name, value in parameters.items() if name not in known.params),
            *(
                Metric(name, each.value, _milliseconds(each.at or record.ended), 0)
                for name, each in metrics.items()
                if known.metrics.get(name) != each.value and not is_whole
            ),
            *(
                RunTag(name, accepted(value))
                for name, value in tags.items()
                if value is not None and known.tags.get(name) != value
            ),
        ]
        for batch in batches(new):
            self._mlflow.log_batch(
                run_id,
                metrics=[each for each in batch if isinstance(each, Metric)],
                params=[each for each in batch if isinstance(each, Param)],
                tags=[each for each in batch if isinstance(each, RunTag)],
            )
        if record.files and not is_whole:
            self._send(run_id, record.files)

    def _send(self, run_id: str, files: Mapping[str, str]) -> None:
        with TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", errors="replace")
            self._mlflow.log_artifacts(run_id, folder)

    def _create_database(self, path: Path) -> None:
        """Make a database with MLflow's tables, which takes it a second, in many transactions."""
        made = SqlAlchemyStore(database_uri(path), self._tracking.artifacts)  # type: ignore[no-untyped-call]
        made.engine.dispose()

    @contextmanager
    def _contact(self) -> Iterator[None]:
        try:
            with no_warnings(), _as_the_store(self._tracking.uri):
                yield
        # MLflow lets through what its libraries raise, which has no class in common.
        except Exception as error:
            place = self._tracking.database or without_userinfo(self._tracking.uri)
            raise TrackingError(f"MLflow's store {place}: {_reason(error)}") from error


@contextmanager
def _as_the_store(uri: str) -> Iterator[None]:
    """Let an ARN be the process's own store for a while: SageMaker's plugin signs for that, whomever a client asks."""
    if not uri.startswith("arn:"):
        yield
        return
    before = os.environ.get(VARIABLE)
    set_tracking_uri(uri)
    try:
        yield
    finally:
        # None where there was none; the function's annotation leaves that out.
        set_tracking_uri(before)  # type: ignore[arg-type]


def page() -> ASGIApp:
    """Return MLflow's own web application, of the store that the environment names."""
    # Another second, for the one command that serves it; and it reads the environment when it is imported.
    from mlflow.server.fastapi_app import app  # noqa: PLC0415

    made: ASGIApp = app
    return made


def _check_schema(uri: str) -> None:
    """Refuse a database of another MLflow, which this one would change in many steps, or serve in vain."""
    scripts = ScriptDirectory(str(Path(db_migrations.__file__).parent))
    with create_engine(uri, poolclass=NullPool).connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    if found == tuple(scripts.get_heads()):
        return
    is_known = any(each.revision in found for each in scripts.walk_revisions())
    way = f"run mlflow db upgrade {shlex.quote(uri)}" if is_known else "install the MLflow that made it"
    raise MlflowException(f"it is not of MLflow {__version__}, which is installed here: {way}, or move it away")


def _reason(error: Exception) -> str:
    """Return what went wrong in the words of who knows it best, with what to do where that is known."""
    first: BaseException = error
    while inner := first.__cause__ or first.__context__:
        first = inner
    text = str(first if isinstance(first, OSError | sqlite3.Error) else error)
    if not isinstance(error, MlflowException | OSError) and first is error:
        text = f"{type(error).__name__}: {text}"
    advice = ": move it away" if type(first) is sqlite3.DatabaseError else ""
    return shortened(without_userinfo(one_line(text)), _LONGEST_REASON) + advice


def _milliseconds(moment: datetime | None) -> int:
    return int((moment.timestamp() if moment else time.time()) * 1000)
