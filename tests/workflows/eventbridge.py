"""EventBridge as far as the documented rules use it: a model package's event, patterns, and what a target gets."""

import json
import re
from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]

_VARIABLE = re.compile(r"<([\w-]+)>")


def state_change(package: Mapping[str, Any], *changed: str) -> Event:
    """Return the event about a package as DescribeModelPackage describes it, of which these members were changed."""
    arn = package["ModelPackageArn"]
    told = {
        "ModelPackageGroupName": package["ModelPackageGroupName"],
        "ModelPackageVersion": package["ModelPackageVersion"],
        "ModelPackageArn": arn,
        "ModelPackageStatus": package["ModelPackageStatus"],
        "ModelApprovalStatus": package["ModelApprovalStatus"],
        **({"ModelLifeCycle": package["ModelLifeCycle"]} if "ModelLifeCycle" in package else {}),
        **({"UpdatedModelPackageFields": list(changed)} if changed else {}),
    }
    return {
        "version": "0",
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "resources": [arn],
        "detail": told,
    }


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether an event has one of the wanted values for each member of the pattern."""
    return all(key in event and _is_wanted(wanted, event[key]) for key, wanted in pattern.items())


def transformed(target: Mapping[str, Any], event: Event) -> Any:
    """Return the JSON document that a target's input transformer makes of an event."""
    transformer = target["InputTransformer"]
    values = {name: json.dumps(_at(path, event)) for name, path in transformer["InputPathsMap"].items()}
    return json.loads(_VARIABLE.sub(lambda found: values[found[1]], transformer["InputTemplate"]))


def _is_wanted(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and matches(wanted, value)
    return any(each in wanted for each in (value if isinstance(value, list) else [value]))


def _at(path: str, event: Event) -> Any:
    value: Any = event
    for name in path.removeprefix("$.").split("."):
        value = value[name]
    return value
