"""The schema: which columns the tables have, what each may hold, which one is the label, and what is left out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

FLOAT32_MAX = float(np.finfo(np.float32).max)
# More are texts rather than categories, and a model of trees makes little of them.
MAX_CATEGORIES = 256
NUMERAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
Document = dict[str, Any]


class DataError(ValueError):
    """Data that the schema does not allow, with its place: the column's name and the row's position, where known."""

    def __init__(self, problem: str, *, column: str | None = None, row: int | None = None) -> None:
        super().__init__(problem if column is None else f"column {column!r}: {problem}")
        self.row = row


@dataclass(frozen=True)
class Column:
    """One column of a raw table: an `id`, a `label`, a `category`, an `integer` or a `number`.

    A category without `categories` is open: Preprocess learns them from the training rows. A label with a `positive`
    value is text, and so is an id of the type `text`.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    minimum: float = -FLOAT32_MAX
    maximum: float = FLOAT32_MAX
    positive: str | None = None
    type: str = "integer"

    @property
    def is_open(self) -> bool:
        """Whether its categories are still to be learned."""
        return self.kind == "category" and not self.categories

    @property
    def csv_type(self) -> pa.DataType:
        """The type that a CSV file's cells are read as."""
        if self.kind == "category" or self.positive is not None:
            return pa.dictionary(pa.int32(), pa.string())
        if self.kind == "id":
            return pa.string() if self.type == "text" else pa.int64()
        return pa.float64()

    @property
    def code_type(self) -> pa.DataType:
        """The type of its categories' codes."""
        return pa.int8() if len(self.categories) <= 128 else pa.int16()

    @cached_property
    def codes(self) -> Mapping[str, int]:
        """Each category's number, under all its spellings."""
        position = {text: code for code, text in enumerate(self.categories)}
        return position | {alias: position[text] for alias, text in self.aliases.items()}

    @cached_property
    def numerals(self) -> Mapping[float, str]:
        """The categories that are numerals, by their numbers: JSON has them without quotes as a rule."""
        # Of several spellings the shortest is what a number is written as.
        return {float(text): text for text in sorted(self.codes, key=len, reverse=True) if NUMERAL.fullmatch(text)}

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.kind == "category":
            return ", ".join([*self.categories, *self.aliases])
        if self.kind == "label":
            return "0 or 1" if self.positive is None else f"{self.positive}, or one other value"
        if self.kind == "id":
            return "a text" if self.type == "text" else "a whole number"
        limits = [f"at least {self.minimum:g}"] if self.minimum > -FLOAT32_MAX else []
        limits += [f"at most {self.maximum:g}"] if self.maximum < FLOAT32_MAX else []
        return " ".join(
            ["a whole number" if self.kind == "integer" else "a finite number", " and ".join(limits)]
        ).strip()


@dataclass(frozen=True)
class Schema:
    """The tables' columns, in the files' order; the key that joins them, if there is one; what may be left out."""

    tables: Mapping[str, tuple[Column, ...]]
    label: str
    id: str | None = None
    drop: tuple[str, ...] = ()

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The model's inputs: every column but ids and label, table by table."""
        return tuple(c for columns in self.tables.values() for c in columns if c.kind not in ("id", "label"))

    @cached_property
    def names(self) -> list[str]:
        """The names of the features."""
        return [column.name for column in self.features]

    @cached_property
    def types(self) -> list[str]:
        """XGBoost's feature types: c for a category, q for a quantity."""
        return ["c" if column.kind == "category" else "q" for column in self.features]

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The columns that may be there in a request, and are left out."""
        return (*((self.id,) if self.id else ()), self.label, *self.drop)

    @cached_property
    def label_column(self) -> Column:
        """The label's column."""
        return next(c for columns in self.tables.values() for c in columns if c.kind == "label")


def load_schema(path: Path) -> Schema:
    """Read a schema file; raises DataError in one line at the first thing that is wrong with it."""
    return make_schema(read_document(path), path.name)


def read_document(path: Path) -> Document:
    """Return what a schema file holds, as JSON has it."""
    try:
        document: Document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path.name}: not JSON: {error}") from error
    return document


def make_schema(document: Document, place: str) -> Schema:
    """Return the schema that a document describes; `place` is what it is called in an error."""
    try:
        return _schema(document)
    except DataError as error:
        raise DataError(f"{place}: {error}") from error


def _schema(document: Document) -> Schema:
    _check_members(document, {"tables", "label"}, {"id", "drop"})
    key, label, drop = document.get("id"), _text(document["label"], "label"), document.get("drop", [])
    if key is not None:
        _text(key, "id")
    if not isinstance(drop, list) or not all(isinstance(name, str) for name in drop):
        raise DataError(f"drop is {json.dumps(drop)}; give a list of names of columns")
    if not isinstance(document["tables"], dict) or not document["tables"]:
        raise DataError('tables has none; give one at least: {"<name of its files>": [columns]}')
    schema = Schema({name: _table(name, entries) for name, entries in document["tables"].items()}, label, key, (*drop,))
    _check_table_names(schema)
    _check_names(schema)
    _check_roles(schema)
    return schema


def _check_members(found: Any, needed: set[str], optional: set[str]) -> None:
    _check_needed(found, needed)
    for name in found:
        if name not in needed | optional:
            raise DataError(f"{name!r} is not known; allowed: {', '.join(sorted(needed | optional))}")


def _check_needed(found: Any, needed: set[str]) -> None:
    if not isinstance(found, dict):
        raise DataError(f"{json.dumps(found)} is not an object with the members {', '.join(sorted(needed))}")
    for name in sorted(needed - found.keys()):
        raise DataError(f"{name} is missing; found: {', '.join(found)}")


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise DataError(f"{what} is {json.dumps(value)}; give a text in quotes")
    return value


def _table(name: str, entries: Any) -> tuple[Column, ...]:
    if not isinstance(entries, list) or not entries:
        raise DataError(f"table {name!r} has no list of columns; give one at least")
    columns = []
    for number, entry in enumerate(entries, 1):
        called = entry.get("name") if isinstance(entry, dict) else None
        try:
            columns.append(_column(entry))
        except DataError as error:
            raise DataError(f"table {name!r}, column {called or number!r}: {error}") from error
    return tuple(columns)


def _column(entry: Any) -> Column:
    _check_needed(entry, {"name", "kind"})
    kind = entry["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise DataError(f"kind {json.dumps(kind)} is not known; allowed: {', '.join(KINDS)}")
    _check_members(entry, {"name", "kind"}, KINDS[kind])
    _text(entry["name"], "name")
    if kind == "category":
        _check_categories(entry)
    if "positive" in entry:
        _text(entry["positive"], "positive")
    if entry.get("type", "text") not in ("text", "integer"):
        raise DataError(f"type {json.dumps(entry['type'])} is not known; allowed: text, integer")
    _check_bounds(entry)
    return Column(**{**entry, "categories": tuple(entry.get("categories") or ())})


KINDS: Mapping[str, set[str]] = {
    "id": {"type"},
    "label": {"positive"},
    "category": {"categories", "aliases"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
}


def _check_categories(entry: Document) -> None:
    categories, aliases = entry.get("categories"), entry.get("aliases", {})
    if categories is None:
        if aliases:
            raise DataError("aliases without categories; list the categories too")
        return
    if not isinstance(categories, list) or not categories:
        raise DataError("categories has none; list them, or leave it out to have them learned")
    for text in categories:
        _text(text, "a category")
    if len(set(categories)) < len(categories):
        twice = next(text for text in categories if categories.count(text) > 1)
        raise DataError(f"category {twice!r} stands there twice")
    if len(categories) > MAX_CATEGORIES:
        raise DataError(f"{len(categories)} categories; allowed: {MAX_CATEGORIES} at most")
    for alias, text in aliases.items() if isinstance(aliases, dict) else [(None, aliases)]:
        if text not in categories or alias in categories:
            raise DataError(f"alias {json.dumps(alias)} of {json.dumps(text)}; allowed: another text for a category")


def _check_bounds(entry: Document) -> None:
    bounds = [entry[name] for name in ("minimum", "maximum") if name in entry]
    for bound in bounds:
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not abs(bound) <= FLOAT32_MAX:
            raise DataError(f"{json.dumps(bound)} is no bound; give a number")
    if bounds != sorted(bounds):
        raise DataError(f"minimum {bounds[0]} is above maximum {bounds[1]}")


def _check_table_names(schema: Schema) -> None:
    for name in schema.tables:
        if not name or name.startswith(".") or set(name) & set("/\\*?["):
            raise DataError(f"table {name!r}: files cannot be called so; give what their names begin with")
        for other in schema.tables:
            if other != name and other.startswith(name):
                raise DataError(f"tables {name!r} and {other!r}: files of one would count for both; rename one")


def _check_names(schema: Schema) -> None:
    homes: dict[str, str] = {}
    for table, columns in schema.tables.items():
        names = [column.name for column in columns]
        for column in columns:
            if column.kind != "id" and column.name in homes:
                raise DataError(f"stands in {homes[column.name]} and in {table}; name each once", column=column.name)
            if names.count(column.name) > 1:
                raise DataError(f"stands in {table} twice; name each once", column=column.name)
            if column.name in schema.drop:
                raise DataError(f"stands in {table} and under drop; leave it in one of them", column=column.name)
            homes[column.name] = table
    for name in schema.names:
        if set(name) & set("[]<"):
            raise DataError("XGBoost takes no name with [, ] or <; rename it here and in the files", column=name)


def _check_roles(schema: Schema) -> None:
    """Raise DataError unless one column is the label, and each table of several has the key."""
    if (labels := [c.name for columns in schema.tables.values() for c in columns if c.kind == "label"]) != [
        schema.label
    ]:
        raise DataError(
            f"label is {schema.label!r}, and the columns of the kind label are: {', '.join(labels) or 'none'}; "
            "give one of them, by that name"
        )
    if len(schema.tables) > 1 and schema.id is None:
        raise DataError(f"tables {', '.join(schema.tables)} have no id; name the column that joins them")
    for table, columns in schema.tables.items():
        keys = [column.name for column in columns if column.kind == "id"]
        if keys != ([schema.id] if schema.id else []):
            raise DataError(
                f"table {table!r}: id is {json.dumps(schema.id)}, and its columns of the kind id are: "
                f"{', '.join(keys) or 'none'}; give one of them, by that name"
            )
    if len({c.type for columns in schema.tables.values() for c in columns if c.kind == "id"}) > 1:
        raise DataError("id has another type in another table; give them the same", column=schema.id)
    if not schema.features:
        raise DataError("there are no features; give one column at least besides id and label")
