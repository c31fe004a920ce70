"""Whatever is done to a definition, it parses or is refused with a DefinitionError."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local.definition import Definition, Graph
from pipelines.local.errors import DefinitionError

Parse = Callable[[str], Definition]

FOLDER = Path(__file__).parents[2] / "definitions"
EXAMPLES = [json.loads((FOLDER / f"{name}.json").read_text()) for name in ("abalone", "tuning", "source_code", "batch")]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=20,
)
EXPRESSIONS = [{"Get": "Steps.Tune.BestTrainingJob"}, {"Get": "Parameters.Stage"}, {"Get": ""}, {"Std:Join": {}}]
PARTS: st.SearchStrategy[Any] = st.sampled_from([*EXPRESSIONS, {}, [], "", 10**400, {"a\nb": 1}])


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a document with each of its keys."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from nodes(value[key])


def settles(parse: Parse, text: str) -> None:
    """Parse a text, and build its graph where it is accepted."""
    definition, message = None, ""
    try:
        definition = parse(text)
    except DefinitionError as error:
        message = str(error)
    assert "\n" not in message
    if definition is not None:
        Graph(definition)


@settings(deadline=None)
@given(text=st.text())
def test_any_text_is_settled(parse: Parse, text: str) -> None:
    settles(parse, text)


@settings(deadline=None)
@given(
    value=JSON,
    kind=st.sampled_from(["Processing", "Training", "Tuning", "Condition", "RegisterModel", "Model", "Fail"]),
)
def test_any_json_is_settled(parse: Parse, value: Any, kind: str) -> None:
    settles(parse, json.dumps(value))
    settles(parse, json.dumps({"Steps": value}))
    settles(parse, json.dumps({"Steps": [], "Parameters": [value]}))
    settles(parse, json.dumps({"Steps": [{"Name": "a", "Type": kind, "Arguments": value}]}))


@settings(deadline=None, max_examples=300)
@given(data=st.data(), example=st.sampled_from(EXAMPLES), change=st.sampled_from(["drop", "replace", "duplicate"]))
def test_any_mutation_is_settled(parse: Parse, data: st.DataObject, example: Any, change: str) -> None:
    document = copy.deepcopy(example)
    parent, key = data.draw(st.sampled_from(list(nodes(document))).map(lambda node: node))
    if change == "replace":
        parent[key] = data.draw(JSON | PARTS)
    elif change == "drop":
        del parent[key]
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    else:
        parent[f"{key}2"] = copy.deepcopy(parent[key])
    settles(parse, json.dumps(document))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_single_drop_is_settled(parse: Parse, example: Any) -> None:
    for index in range(sum(1 for _ in nodes(example))):
        document = copy.deepcopy(example)
        parent, key = list(nodes(document))[index]
        del parent[key]
        settles(parse, json.dumps(document))
