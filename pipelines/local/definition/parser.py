"""The parser of pipeline definitions."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from botocore.model import ServiceModel

from pipelines.local.definition.document import Definition
from pipelines.local.definition.functions import Use, check_operand
from pipelines.local.definition.graph import Graph
from pipelines.local.definition.links import EXPERIMENT_MEMBERS, Links
from pipelines.local.definition.members import Members
from pipelines.local.definition.parameters import read_parameters
from pipelines.local.definition.place import Place, Refusal
from pipelines.local.definition.steps import StepReader
from pipelines.local.errors import DefinitionError

VERSION = "2020-12-01"
MEMBERS = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps")
LONGEST_DEFINITION = 1024 * 1024

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_definition(text: str, model: ServiceModel) -> Definition:
    """Parse and check a pipeline definition.

    `model` is botocore's model of SageMaker: the arguments of each step are checked against the operation they
    are for, and references against what that operation's Describe answers.

    Raises:
        DefinitionError: the definition is not one that this machine can run; the message says where and why.
    """
    document = _load(text)
    reader = StepReader(model)
    try:
        top = Members(document, None, MEMBERS)
        if top.value.get("Version") is not None:
            top.choice("Version", (VERSION,))
        for name in ("Metadata", "MlflowConfig"):
            top.object(name)
        parameters = read_parameters(top.list("Parameters"), (None, "Parameters"))
        experiment_uses: list[Use] = []
        experiment = _read_experiment(top, experiment_uses)
        top.any("Steps")
        steps = reader.read_steps(top.list("Steps"), (None, "Steps"))
        definition = Definition(parameters, steps, experiment, text)
        links = Links(definition, model, reader.uses, reader.places)
        links.check_experiment(experiment_uses)
        links.check()
    except Refusal as refusal:
        raise DefinitionError(str(refusal)) from refusal
    _check_cycle(definition)
    return definition


def _load(text: str) -> Any:
    if len(text) > LONGEST_DEFINITION:
        raise DefinitionError(f"It has {len(text)} characters; at most {LONGEST_DEFINITION} are allowed.")
    try:
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise DefinitionError("It is nested too deeply.") from None
    except UnicodeEncodeError as error:
        raise DefinitionError("It holds half of a surrogate pair, which is no character.") from error
    except ValueError as error:
        raise DefinitionError(f"It is not JSON: {error}.") from error
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _read_experiment(top: Members, uses: list[Use]) -> Mapping[str, Any] | None:
    value = top.value.get("PipelineExperimentConfig")
    if value is None:
        return None
    place: Place = top.at("PipelineExperimentConfig")
    config = Members(value, place, EXPERIMENT_MEMBERS)
    for name, operand in config.value.items():
        check_operand(operand, config.at(name), uses)
    return config.value


def _check_cycle(definition: Definition) -> None:
    cycle = Graph(definition).cycle()
    if cycle:
        raise DefinitionError(f"The steps wait for each other in a cycle: {' -> '.join(cycle)}.")
