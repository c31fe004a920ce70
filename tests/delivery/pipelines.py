"""Named pipeline definitions of the delivery's tests."""

import json
from typing import Any

AUC_PATH = "binary_classification_metrics.auc.value"


def definition(steps: list[dict[str, Any]], parameters: list[dict[str, Any]] | None = None) -> str:
    """A definition of these steps."""
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": steps})


def step(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """A step with nothing in it that the delivery does not read."""
    return {"Name": name, "Type": kind, "Arguments": {}, **more}


def metric(path: str = AUC_PATH, *, of: str = "Evaluate") -> dict[str, Any]:
    """A value of a report."""
    return {"Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{of}.PropertyFiles.Report"}, "Path": path}}


def gate(
    name: str, conditions: list[dict[str, Any]], *, yes: list[dict[str, Any]], no: list[dict[str, Any]]
) -> dict[str, Any]:
    """A condition step."""
    return {"Name": name, "Type": "Condition", "Arguments": {"Conditions": conditions, "IfSteps": yes, "ElseSteps": no}}


REPORT = [{"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "evaluation.json"}]
THRESHOLD = {"Name": "RocAucThreshold", "Type": "Float", "DefaultValue": 0.85}
AT_MOST_THRESHOLD = {
    "Type": "LessThanOrEqualTo",
    "LeftValue": metric(),
    "RightValue": {"Get": "Parameters.RocAucThreshold"},
}

TWO_BRANCHES = definition(
    [
        step("Train", "Training"),
        step("Evaluate", "Processing", PropertyFiles=REPORT),
        gate(
            "AucGate",
            [AT_MOST_THRESHOLD],
            yes=[
                step("Tune", "Tuning"),
                step("EvaluateTuned", "Processing", PropertyFiles=REPORT),
                step("RegisterTuned", "RegisterModel"),
            ],
            no=[step("Register", "RegisterModel")],
        ),
    ],
    [THRESHOLD, {"Name": "InputData", "Type": "String", "DefaultValue": "s3://bucket/data"}],
)

FAIL_BRANCH = definition(
    [
        step("Evaluate", "Processing", PropertyFiles=REPORT),
        gate(
            "AucGate",
            [AT_MOST_THRESHOLD],
            yes=[step("TooBad", "Fail")],
            no=[step("Register", "RegisterModel")],
        ),
        step("Alarm", "Fail", DependsOn=[{"Step": "Evaluate", "Trigger": "Failed"}]),
    ],
    [THRESHOLD],
)

NO_GATE = definition([step("Preprocess", "Processing"), step("Train", "Training")])
