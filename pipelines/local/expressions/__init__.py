"""Expressions at run time: parameters bound, references resolved, conditions decided."""

from pipelines.local.expressions.conditions import evaluate
from pipelines.local.expressions.parameters import bind_parameters
from pipelines.local.expressions.resolve import Scope, as_text, resolve

__all__ = ["Scope", "as_text", "bind_parameters", "evaluate", "resolve"]
