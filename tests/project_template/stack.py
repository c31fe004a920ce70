"""A template with its parameters, as CloudFormation would carry it out: rules, conditions, references, outputs."""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.iam.evaluator import Policy, together
from tests.project_template.identities import ACCOUNT, PARTITION, REGION, STACK, identify

FOLDER = Path(__file__).parents[2] / "project-template"
TEMPLATE, INSTALL = FOLDER / "template.yml", FOLDER / "install.yml"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = object()
# The method for each function.
FUNCTIONS = {
    "Fn::And": "_and",
    "Fn::Contains": "_contains",
    "Fn::Equals": "_equals",
    "Fn::GetAtt": "_attribute",
    "Fn::If": "_if",
    "Fn::Join": "_join",
    "Fn::Not": "_not",
    "Fn::Or": "_or",
    "Fn::Select": "_select",
    "Fn::Sub": "_substitute",
}
VARIABLE = re.compile(r"\$\{([^}!]+)\}")


class _Loader(yaml.SafeLoader):
    """Reads the short forms of the functions, such as `!Sub`, as their long ones."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(f"!{suffix} of a mapping")
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def load(file: Path) -> dict[str, Any]:
    """Read a template."""
    document: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    return document


class Refused(Exception):
    """CloudFormation would not begin: a parameter or a rule says no."""


class Stack:
    """A stack; references to resources of the types in `left` stay references, for others to resolve."""

    def __init__(self, file: Path, parameters: Mapping[str, str], *, left: frozenset[str] = frozenset()) -> None:
        self.document = load(file)
        self._left = left
        self.parameters = self._checked(parameters)
        for name, rule in self.document.get("Rules", {}).items():
            if self._value(rule.get("RuleCondition", True)):
                for each in rule["Assertions"]:
                    if not self._value(each["Assert"]):
                        raise Refused(f"{name}: {each['AssertDescription']}")

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources that there are under the stack's conditions, with all values in place."""
        return {
            name: {key: self._value(value) for key, value in resource.items() if key != "Condition"}
            for name, resource in self.document["Resources"].items()
            if self._is_wanted(resource)
        }

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs that there are."""
        found = self.document["Outputs"].items()
        return {name: self._value(output["Value"]) for name, output in found if self._is_wanted(output)}

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by their logical ids."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}

    def policy(self, role: str) -> Policy:
        """Return all that a role may do, by its own policies and those attached to it."""
        own = [each["PolicyDocument"] for each in self.resources[role]["Properties"].get("Policies", [])]
        name = self._reference(role)
        attached = [
            each["PolicyDocument"] for each in self.of_type("AWS::IAM::Policy").values() if name in each["Roles"]
        ]
        return together([*own, *attached])

    def trust(self, role: str) -> Policy:
        """Return whom a role trusts."""
        trust: Policy = self.resources[role]["Properties"]["AssumeRolePolicyDocument"]
        return trust

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource."""
        return str(self._reference(logical_id, "Arn"))

    def _checked(self, given: Mapping[str, str]) -> dict[str, Any]:
        declared = self.document["Parameters"]
        if unknown := set(given) - set(declared):
            raise Refused(f"no parameter is called {sorted(unknown)}")
        return {name: _parameter(name, form, given) for name, form in declared.items()}

    def _is_wanted(self, part: Mapping[str, Any]) -> bool:
        return "Condition" not in part or self._condition(part["Condition"])

    def _condition(self, name: str) -> bool:
        return bool(self._value(self.document["Conditions"][name]))

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for each in node if (value := self._value(each)) is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (name := next(iter(node))) in {"Ref", "Condition"} | set(FUNCTIONS):
            return self._apply(name, node[name])
        return {key: value for key, each in node.items() if (value := self._value(each)) is not NOTHING}

    def _apply(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._reference(argument)
        if name == "Condition":
            # The name of a condition, but for a policy's or a statement's member of that name.
            return self._condition(argument) if isinstance(argument, str) else {name: self._value(argument)}
        return getattr(self, FUNCTIONS[name])(argument)

    def _and(self, argument: list[Any]) -> bool:
        return all(self._value(each) for each in argument)

    def _or(self, argument: list[Any]) -> bool:
        return any(self._value(each) for each in argument)

    def _not(self, argument: list[Any]) -> bool:
        return not self._value(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (self._value(each) for each in argument)
        return bool(left == right)

    def _contains(self, argument: list[Any]) -> bool:
        values, value = (self._value(each) for each in argument)
        return value in values

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self._value(yes if self._condition(condition) else no)

    def _join(self, argument: list[Any]) -> str:
        delimiter, values = argument
        return str(delimiter).join(self._value(values))

    def _select(self, argument: list[Any]) -> Any:
        return self._value(argument[1])[int(argument[0])]

    def _attribute(self, argument: list[str]) -> Any:
        return self._reference(*argument)

    def _substitute(self, text: str) -> Any:
        def put(found: re.Match[str]) -> str:
            value = self._reference(*found[1].split(".", 1))
            return found[0] if isinstance(value, dict) else str(value)

        done = VARIABLE.sub(put, text)
        return {"Fn::Sub": done} if VARIABLE.search(done) else done

    def _reference(self, name: str, attribute: str | None = None) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self.document["Resources"][name]
        if not self._is_wanted(resource):
            raise KeyError(f"{name} is referred to where it is not made")
        if resource["Type"] in self._left:
            return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
        names = {
            key: self._value(value) for key, value in resource["Properties"].items() if key.endswith(("Name", "Path"))
        }
        return identify(name, resource["Type"], names, attribute)


def _parameter(name: str, form: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    if name not in given and "Default" not in form:
        raise Refused(f"{name} has no value")
    text = str(given.get(name, form.get("Default")))
    values = text.split(",") if form["Type"] == "CommaDelimitedList" else [text]
    for value in values:
        _check(name, form, value)
    return values if form["Type"] == "CommaDelimitedList" else text


def _check(name: str, form: Mapping[str, Any], value: str) -> None:
    is_right = (
        value in form.get("AllowedValues", [value])
        and form.get("MinLength", 0) <= len(value) <= form.get("MaxLength", len(value))
        and re.fullmatch(form.get("AllowedPattern", ".*"), value) is not None
        and (form["Type"] != "Number" or float(value) >= form.get("MinValue", 0))
    )
    if not is_right:
        raise Refused(f"{name} must not be {value!r}")
