"""The verdict as a JUnit file, which CI systems show as a test report: the gate is a test, and each step is one."""

from xml.etree import ElementTree as ET

from pipelines.delivery.report.facts import Facts, StepFact
from pipelines.delivery.wording import one_line

_GATE_PROBLEMS = {"rejected": "failure", "failed": "error"}
_STEP_PROBLEMS = {"rejected": "failure", "failed": "error", "stopped": "skipped"}


def render(facts: Facts) -> str:
    """Return the report as XML: a rejection is a failed test, and what broke is an error."""
    suite = ET.Element("testsuite", name=one_line(facts.pipeline))
    gate = _test(suite, facts, "gate", facts.seconds)
    if problem := _GATE_PROBLEMS.get(facts.verdict.outcome):
        ET.SubElement(gate, problem, message=one_line(facts.verdict.reason))
    for step in facts.steps:
        _add_step(suite, facts, step)
    counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.attrib |= {name: str(len(suite.findall(f".//{kind}"))) for name, kind in counted.items()}
    suite.set("tests", str(len(suite)))
    suite.set("time", _time(facts.seconds))
    ET.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suite, encoding="unicode")}\n'


def _add_step(suite: ET.Element, facts: Facts, step: StepFact) -> None:
    test = _test(suite, facts, f"step {step.name}", step.seconds)
    if problem := _STEP_PROBLEMS.get(step.state):
        ET.SubElement(test, problem, message=one_line(step.says) or step.state)


def _test(suite: ET.Element, facts: Facts, name: str, seconds: float | None) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=one_line(facts.pipeline), name=one_line(name), time=_time(seconds)
    )


def _time(seconds: float | None) -> str:
    return f"{max(seconds or 0, 0):.3f}"
