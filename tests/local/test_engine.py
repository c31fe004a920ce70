"""The scheduler, with runners that only do what each test needs."""

import threading
from collections.abc import Callable

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.definition import Definition, Dependency, Step
from pipelines.local.engine import Engine, StepEnd
from pipelines.local.errors import StepFailure, StoppedByUser
from pipelines.local.steps.step_context import StepResult


def job(name: str, *after: str | Dependency) -> Step:
    dependencies = tuple(Dependency(one) if isinstance(one, str) else one for one in after)
    return Step(name, "Processing", {}, depends_on=dependencies)


def definition(*steps: Step) -> Definition:
    return Definition({}, steps, None, "")


class Journal:
    """A listener that keeps what it hears; `runs` does what a step's name is mapped to, or succeeds."""

    def __init__(self, limit: int | None = None, **behaviour: Callable[[], StepResult]) -> None:
        self.started: list[str] = []
        self.ended: dict[str, StepEnd] = {}
        self.running = 0
        self.most_at_once = 0
        self._limit = limit
        self._behaviour = behaviour

    def step_started(self, step: Step) -> None:
        self.started.append(step.name)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)

    def step_ended(self, step: Step, end: StepEnd) -> None:
        self.ended[step.name] = end
        self.running -= 1

    def parallelism(self) -> int | None:
        return self._limit

    def watch(self) -> None:
        pass

    def runs(self, step: Step) -> StepResult:
        behaviour = self._behaviour.get(step.name)
        return behaviour() if behaviour else StepResult({"ProcessingJob": {"Arn": step.name}})


def decides(outcome: bool) -> Callable[[], StepResult]:
    return lambda: StepResult({"Condition": {"Outcome": str(outcome)}})


def fails() -> StepResult:
    raise StepFailure("it broke")


def run(pipeline: Definition, journal: Journal, stop: Stop | None = None) -> str:
    return Engine(pipeline, journal.runs, journal, stop or Stop()).run()


@pytest.fixture
def diamond() -> Definition:
    return definition(job("last", "left", "right"), job("left", "first"), job("right", "first"), job("first"))


@pytest.fixture
def fan_out() -> Definition:
    return definition(*(job(f"leaf{number}") for number in range(6)))


@pytest.fixture
def two_branches() -> Definition:
    gate = Step("gate", "Condition", {}, if_steps=(job("yes"), job("yes2", "yes")), else_steps=(job("no"),))
    return definition(job("first"), gate, job("outside", "no"))


def test_steps_run_after_all_that_they_depend_on(diamond: Definition) -> None:
    journal = Journal()
    assert run(diamond, journal) == "Succeeded"
    assert journal.started[0] == "first"
    assert set(journal.started[1:3]) == {"left", "right"}
    assert journal.started[3] == "last"


def test_independent_steps_run_at_the_same_time(fan_out: Definition) -> None:
    all_six = threading.Barrier(6, timeout=20)

    def meet() -> StepResult:
        all_six.wait()
        return StepResult({})

    journal = Journal(leaf0=meet, leaf1=meet, leaf2=meet, leaf3=meet, leaf4=meet, leaf5=meet)
    assert run(fan_out, journal) == "Succeeded"
    assert journal.most_at_once == 6


def test_no_more_steps_run_at_once_than_the_limit_allows(fan_out: Definition) -> None:
    journal = Journal(limit=2)
    assert run(fan_out, journal) == "Succeeded"
    assert journal.most_at_once == 2
    assert len(journal.ended) == 6


@pytest.mark.parametrize(("outcome", "ran"), [(True, {"yes", "yes2"}), (False, {"no", "outside"})])
def test_only_the_branch_that_was_chosen_runs_and_what_depends_on_it(
    two_branches: Definition, outcome: bool, ran: set[str]
) -> None:
    journal = Journal(gate=decides(outcome))
    assert run(two_branches, journal) == "Succeeded"
    assert set(journal.started) == {"first", "gate"} | ran


def test_a_condition_inside_a_branch_is_not_asked_when_the_branch_is_not_taken() -> None:
    inner = Step("inner", "Condition", {}, if_steps=(job("deep"),))
    outer = Step("outer", "Condition", {}, if_steps=(inner,), else_steps=(job("other"),))
    journal = Journal(outer=decides(False), inner=decides(True))
    assert run(definition(outer), journal) == "Succeeded"
    assert set(journal.started) == {"outer", "other"}


def test_what_depends_on_a_failed_step_does_not_run_but_the_rest_does(diamond: Definition) -> None:
    journal = Journal(left=fails)
    assert run(diamond, journal) == "Failed"
    assert set(journal.started) == {"first", "left", "right"}
    assert journal.ended["left"] == StepEnd("Failed", reason="it broke")


@pytest.mark.parametrize("trigger", ["Failed", "Any"])
def test_a_step_that_waits_for_a_failure_runs_after_it(trigger: str) -> None:
    clean_up = job("clean-up", Dependency("first", trigger))  # type: ignore[arg-type]
    journal = Journal(first=fails)
    assert run(definition(job("first"), clean_up), journal) == "CompletedWithFailures"
    assert journal.ended["clean-up"].status == "Succeeded"


def test_a_step_that_waits_for_a_failure_does_not_run_after_a_success() -> None:
    journal = Journal()
    assert run(definition(job("first"), job("clean-up", Dependency("first", "Failed"))), journal) == "Succeeded"
    assert journal.started == ["first"]


def test_a_failure_that_nobody_handles_fails_the_execution_though_another_is_handled() -> None:
    steps = (job("one"), job("two"), job("clean-up", Dependency("one", "Failed")))
    assert run(definition(*steps), Journal(one=fails, two=fails)) == "Failed"


def test_after_a_fail_step_running_steps_finish_and_no_other_starts() -> None:
    failed = threading.Event()

    def slow() -> StepResult:
        assert failed.wait(20)
        return StepResult({})

    class FailureFirst(Journal):
        def step_ended(self, step: Step, end: StepEnd) -> None:
            super().step_ended(step, end)
            if step.name == "fail":
                failed.set()

    journal = FailureFirst(slow=slow, fail=fails)
    steps = (job("slow"), Step("fail", "Fail", {}), job("after", "slow"))
    assert run(definition(*steps), journal) == "Failed"
    assert journal.ended["slow"].status == "Succeeded"
    assert "after" not in journal.started


def test_a_stopped_execution_starts_nothing_more(diamond: Definition) -> None:
    stop = Stop()

    def stopped() -> StepResult:
        stop.set()
        raise StoppedByUser("stopped")

    journal = Journal(first=stopped)
    assert run(diamond, journal, stop) == "Stopped"
    assert journal.started == ["first"]
    assert journal.ended["first"].status == "Stopped"


def test_a_stop_that_comes_after_the_last_step_changes_nothing() -> None:
    stop = Stop()

    def finish() -> StepResult:
        stop.set()
        return StepResult({})

    assert run(definition(job("only")), Journal(only=finish), stop) == "Succeeded"


def test_an_error_of_the_engine_itself_is_told_apart_from_a_failure_of_the_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def bug() -> StepResult:
        raise ZeroDivisionError("division by zero")

    journal = Journal(only=bug)
    assert run(definition(job("only")), journal) == "Failed"
    assert journal.ended["only"].reason == "InternalServerError: ZeroDivisionError: division by zero"
    assert "Step only ended by an error of the local SageMaker itself" in caplog.text


def test_steps_that_ended_before_are_not_run_again(diamond: Definition) -> None:
    ended = {name: StepEnd("Succeeded", StepResult({})) for name in ("first", "left")}
    journal = Journal()
    assert Engine(diamond, journal.runs, journal, Stop(), ended=ended).run() == "Succeeded"
    assert journal.started == ["right", "last"]


def test_only_selected_steps_run(diamond: Definition) -> None:
    journal = Journal()
    selected = frozenset({"first", "left"})
    assert Engine(diamond, journal.runs, journal, Stop(), selected=selected).run() == "Succeeded"
    assert journal.started == ["first", "left"]
