"""Parameter values of a run, checked against the definition before anything is written or paid for."""

from pipelines.delivery.definition import Parameter, Run
from pipelines.delivery.errors import UsageError


def check_parameters(run: Run) -> None:
    """Refuse values that the service would refuse at the start, when the pipeline was already updated."""
    for name, value in run.parameters.items():
        if name not in run.definition.parameters:
            known = ", ".join(run.definition.parameters) or "none"
            raise UsageError(f"unknown parameter '{name}': the pipeline's parameters are {known}")
        _check_value(run.definition.parameters[name], value)
    for parameter in run.definition.parameters.values():
        if parameter.default is None and parameter.name not in run.parameters:
            raise UsageError(
                f"parameter '{parameter.name}' ({parameter.type}) has no default: "
                f"pass --parameter {parameter.name}=VALUE"
            )


def _check_value(parameter: Parameter, value: str) -> None:
    if not value:
        raise UsageError(f"parameter '{parameter.name}' is empty: expected {_expected(parameter)}")
    if not _is_of_type(parameter.type, value) or (parameter.choices and value not in parameter.choices):
        raise UsageError(f"parameter '{parameter.name}' is '{value}': expected {_expected(parameter)}")


def _expected(parameter: Parameter) -> str:
    if parameter.choices:
        return f"one of {', '.join(parameter.choices)}"
    return {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}.get(
        parameter.type, "a string of at least one character"
    )


def _is_of_type(kind: str, value: str) -> bool:
    if kind == "Boolean":
        return value.lower() in {"true", "false"}
    number = {"Integer": int, "Float": float}.get(kind)
    if number is None:
        return True
    try:
        number(value)
    except ValueError:
        return False
    return True
