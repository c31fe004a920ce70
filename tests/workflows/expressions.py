"""GitHub's expressions, as far as the workflows here use them; whatever else is refused, not guessed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Functions = Mapping[str, Callable[..., Any]]

STATUS_FUNCTIONS = frozenset({"always", "cancelled", "failure", "success"})
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,]))"
)
_WORDS = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """An expression that GitHub would not take, or that this evaluator does not know."""


@dataclass(frozen=True)
class Scope:
    """What an expression may name: contexts, whose members are null where they may be missing, and functions."""

    contexts: Mapping[str, Any]
    functions: Functions


class Lenient(dict[str, Any]):
    """A context of which any member may be asked for, like `vars`; those of others must be there."""


def interpolate(text: str, scope: Scope) -> str:
    """Return the text with the value of each `${{ }}`."""
    return _EMBEDDED.sub(lambda found: as_text(evaluate(found[1], scope)), text)


def holds(condition: str | bool | None, scope: Scope, *, implied: Callable[[], bool]) -> bool:
    """Return whether an `if:` holds; one without a status function is only looked at where `implied` holds."""
    if condition is None:
        return implied()
    source = str(condition).strip()
    if found := re.fullmatch(r"\$\{\{(.*)\}\}", source, re.DOTALL):
        source = found[1]
    asks_for_status = any(re.search(rf"\b{name}\(", source) for name in STATUS_FUNCTIONS)
    return (asks_for_status or implied()) and is_true(evaluate(source, scope))


def evaluate(source: str, scope: Scope) -> Any:
    """Return the value of an expression."""
    parser = _Parser(_tokens(source), scope)
    value = parser.alternative()
    if parser.tokens:
        raise ExpressionError(f"{source.strip()}: what is {parser.tokens[0][1]!r} for?")
    return value


def as_text(value: Any) -> str:
    """Return what stands in a text for a value."""
    if isinstance(value, dict | list):
        raise ExpressionError(f"{value} would be put into a text as 'Object'")
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def is_true(value: Any) -> bool:
    """Return what a value counts as."""
    return bool(value)


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    rest = source.strip()
    while rest:
        found = _TOKEN.match(rest)
        if not found or found.lastgroup is None:
            raise ExpressionError(f"{source.strip()}: cannot read {rest!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        rest = rest[found.end() :].strip()
    return tokens


class _Parser:
    """Evaluates while it reads; values have no side effects, so what is not needed may be evaluated too."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self.tokens = tokens
        self._scope = scope

    def alternative(self) -> Any:
        value = self._conjunction()
        while self._take("||"):
            other = self._conjunction()
            value = value if is_true(value) else other
        return value

    def _conjunction(self) -> Any:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = other if is_true(value) else value
        return value

    def _comparison(self) -> Any:
        value = self._negation()
        for sign in ("==", "!="):
            if self._take(sign):
                return _equal(value, self._negation()) == (sign == "==")
        return value

    def _negation(self) -> Any:
        return not is_true(self._negation()) if self._take("!") else self._operand()

    def _operand(self) -> Any:
        if self._take("("):
            value = self.alternative()
            self._expect(")")
            return value
        kind, token = self.tokens.pop(0) if self.tokens else ("end", "the end")
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "number":
            return int(token)
        if kind != "name":
            raise ExpressionError(f"a value is missing before {token}")
        if token in _WORDS:
            return _WORDS[token]
        return self._call(token) if self._take("(") else self._member(token)

    def _call(self, name: str) -> Any:
        arguments = []
        while not self._take(")"):
            arguments.append(self.alternative())
            self._take(",")
        if name not in self._scope.functions:
            raise ExpressionError(f"{name}() is not one of {', '.join(sorted(self._scope.functions))}")
        return self._scope.functions[name](*arguments)

    def _member(self, name: str) -> Any:
        value = self._scope.contexts
        path = name
        while True:
            value = _get(value, name, path)
            if not self._take("."):
                return value
            name = self.tokens.pop(0)[1]
            path = f"{path}.{name}"

    def _take(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            self.tokens.pop(0)
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ExpressionError(f"{sign} is missing")


def _get(value: Any, name: str, path: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ExpressionError(f"{path}: {value!r} has no members")
    if name not in value and not isinstance(value, Lenient):
        raise ExpressionError(f"{path} is not there; there are {', '.join(value) or 'none'}")
    return value.get(name)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    # GitHub compares values of two types as numbers, and null and the empty text are both 0.
    return bool(_number(one) == _number(other))


def _number(value: Any) -> Any:
    return 0 if value in {None, ""} else value


def to_json(value: Any) -> str:
    """Return a value as GitHub's `toJSON` does."""
    return json.dumps(value, indent=2)
