"""The JUnit file: a rejection is a failed test, what broke is an error, and any text is a text."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from pipelines.delivery.gate import Outcome
from pipelines.delivery.report.facts import Facts
from pipelines.delivery.report.junit import render
from tests.delivery.report.examples import ALL, FAILED, REGISTERED, REJECTED, STOPPED, hostile


def problems(facts: Facts) -> dict[str, tuple[str, str]]:
    """Return what is wrong with which test: the kind and the message."""
    return {
        case.attrib["name"]: (problem.tag, problem.attrib["message"])
        for case in ET.fromstring(render(facts))
        for problem in case
    }


@pytest.mark.parametrize("name", ALL)
def test_the_gate_and_each_step_is_a_test(name: str) -> None:
    suite = ET.fromstring(render(ALL[name]))
    names = [case.get("name") for case in suite]
    assert names == ["gate", *(f"step {step.name}" for step in ALL[name].steps)]
    assert suite.get("tests") == str(len(names))
    for kind, counted in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert suite.get(counted) == str(len(suite.findall(f"testcase/{kind}")))


def test_a_registration_passes_with_the_time_of_each_step() -> None:
    assert problems(REGISTERED) == {}
    times = {case.get("name"): case.get("time") for case in ET.fromstring(render(REGISTERED))}
    assert times["gate"] == "64.100"
    assert times["step Tune"] == "60.000"


def test_a_rejection_is_a_failure_with_the_reason() -> None:
    reason = "ROC AUC 0.84 is not above 0.85"
    assert problems(REJECTED) == {"gate": ("failure", reason), "step EvaluateTuned": ("failure", reason)}


def test_what_broke_is_an_error_and_a_stopped_run_has_no_verdict() -> None:
    assert problems(FAILED) == {
        "gate": ("error", "Train failed: AlgorithmError: no rows"),
        "step Train": ("error", "AlgorithmError"),
    }
    assert problems(STOPPED) == {"gate": ("error", "the execution was stopped")}


def test_a_step_that_was_stopped_is_skipped() -> None:
    stopped = replace(STOPPED, steps=(replace(FAILED.steps[0], state="stopped", says=""),))
    assert problems(stopped)["step Train"] == ("skipped", "stopped")


@pytest.mark.parametrize("outcome", ["registered", "rejected", "failed"])
def test_text_of_others_stays_text(outcome: Outcome) -> None:
    facts = hostile()
    facts = replace(facts, verdict=replace(facts.verdict, outcome=outcome, reason="a\x00b\x1b[31m <x> & ]]> \ud800"))
    suite = ET.fromstring(render(facts).encode("utf-8"))
    assert {element.tag for element in suite.iter()} <= {"testsuite", "testcase", "failure", "error"}
