"""The grammar of a pipeline definition: JSON text in, checked steps and their graph out."""

from pipelines.local.definition.document import CacheConfig, Definition, Dependency, Parameter, PropertyFile, Step
from pipelines.local.definition.graph import Graph
from pipelines.local.definition.parser import parse_definition
from pipelines.local.definition.references import Reference, find_references, parse_reference

__all__ = [
    "CacheConfig",
    "Definition",
    "Dependency",
    "Graph",
    "Parameter",
    "PropertyFile",
    "Reference",
    "Step",
    "find_references",
    "parse_definition",
    "parse_reference",
]
