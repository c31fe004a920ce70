"""What a model answers to requests that are wrong: 4xx and one line that names the claim and the column."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import inference
from tests.docs import pages
from tests.fraud.requests import Row, answer, csv_body, json_objects, labelled_rows, refusal

CSV, JSON = "text/csv", "application/json"
Objects = list[dict[str, Any]]


@pytest.fixture(scope="session")
def rows(prepared: Path) -> list[Row]:
    return labelled_rows(prepared / "labelled" / "labelled.csv")[0][:3]


# Single values: of a CSV's second claim, and of a JSON list's.

CELLS = [
    ("incident_type", "Flood", "'Flood' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", " Theft", "' Theft' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", "theft", "'theft' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", "The\0ft", "'The\\x00ft' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", 'a "b", c', "'a \"b\", c' is not a known category; allowed: Collision, Break-in, Theft"),
    ("customer_age", "old", "'old' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "4\0", "'4\\x00' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "٣", "'٣' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "1_000", "'1_000' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "true", "'true' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "1.5", "'1.5' is not whole; allowed: a whole number at least 0"),
    ("customer_age", "-1", "'-1' is out of range; allowed: a whole number at least 0"),
    ("customer_age", "NaN", "'nan' is not finite; allowed: a whole number at least 0"),
    ("incident_hour", "24", "'24' is out of range; allowed: a whole number at least 0 and at most 23"),
    ("injury_claim", "inf", "'inf' is not finite; allowed: a finite number"),
    ("injury_claim", "-Infinity", "'-inf' is not finite; allowed: a finite number"),
    ("injury_claim", "1e300", "'1e+300' is out of range; allowed: a finite number"),
    ("injury_claim", "1e999", "'inf' is not finite; allowed: a finite number"),
    ("injury_claim", " ", "' ' is not a number; allowed: a finite number"),
    ("injury_claim", "$5", "'$5' is not a number; allowed: a finite number"),
]


@pytest.mark.parametrize(("name", "cell", "message"), CELLS)
def test_a_bad_csv_cell_is_named_with_its_claim_and_column(
    name: str, cell: str, message: str, model: inference.Model, rows: list[Row]
) -> None:
    body = csv_body([rows[0], rows[1] | {name: cell}, rows[2]])
    assert refusal(model, body, CSV) == f"400 row 2: column {name!r}: {message}"
    headerless = body.partition(b"\n")[2]
    assert refusal(model, headerless, CSV) == f"400 row 2: column {name!r}: {message}"


VALUES: list[tuple[str, Any, str]] = [
    ("incident_type", "Flood", "'Flood' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", "The\0ft", "'The\\x00ft' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", "\ud800", "'\\ud800' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", "nan", "'nan' is not a known category; allowed: Collision, Break-in, Theft"),
    ("incident_type", 3, "3 is not text; allowed: Collision, Break-in, Theft"),
    ("incident_type", float("nan"), "nan is not text; allowed: Collision, Break-in, Theft"),
    ("incident_type", {"is": "Theft"}, "{'is': 'Theft'} is not text; allowed: Collision, Break-in, Theft"),
    ("customer_age", "40", "'40' is not a number; allowed: a whole number at least 0"),
    ("customer_age", "", "'' is not a number; allowed: a whole number at least 0"),
    ("customer_age", True, "True is not a number; allowed: a whole number at least 0"),
    ("customer_age", [40], "[40] is not a number; allowed: a whole number at least 0"),
    ("customer_age", 1.5, "'1.5' is not whole; allowed: a whole number at least 0"),
    ("customer_age", -1, "'-1' is out of range; allowed: a whole number at least 0"),
    ("injury_claim", float("nan"), "'nan' is not finite; allowed: a finite number"),
    ("injury_claim", float("-inf"), "'-inf' is not finite; allowed: a finite number"),
    ("injury_claim", 1e300, "'1e+300' is out of range; allowed: a finite number"),
    (
        "injury_claim",
        10**400,
        f"{'1' + 17 * '0'}...{19 * '0'} is out of range; allowed: a finite number",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), VALUES)
def test_a_bad_json_value_is_named_with_its_claim_and_column(
    name: str, value: Any, message: str, model: inference.Model, rows: list[Row]
) -> None:
    claims = json_objects(rows, model.schema)
    claims[1][name] = value
    for document in (claims, {"instances": claims}):
        assert refusal(model, json.dumps(document), JSON) == f"400 row 2: column {name!r}: {message}"


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("incident_type", "", None),
        ("customer_age", "", None),
        ("customer_age", " 40 ", 40),
        ("customer_age", "+40", 40),
        ("customer_age", "4e1", 40),
        ("customer_age", "040.", 40.0),
        ("injury_claim", "-1e-400", 0),
        ("injury_claim", "123456.789", 123456.789),
        ("customer_zip", "9007199254740993", 9007199254740993),
    ],
)
def test_odd_but_allowed_values_mean_the_same_in_both(
    name: str, cell: str, value: Any, model: inference.Model, rows: list[Row]
) -> None:
    claim = json_objects(rows[:1], model.schema)[0] | {name: value}
    by_json = answer(model, json.dumps(claim), JSON)
    assert answer(model, csv_body([rows[0] | {name: cell}]), CSV) == by_json


# Columns


@pytest.mark.parametrize("content_type", [CSV, JSON])
def test_a_missing_a_further_and_a_repeated_column_are_named(
    content_type: str, model: inference.Model, rows: list[Row]
) -> None:
    def refused(change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
        if content_type == CSV:
            return refusal(model, csv_body([change(dict(row)) for row in rows]), CSV)
        first, second, third = json_objects(rows, model.schema)
        return refusal(model, json.dumps([first, change(second), third]), JSON)

    place = "400 row 2: " if content_type == JSON else "400 "
    known = ", ".join(model.schema.names)
    less = {name: value for name, value in rows[0].items() if name != "auto_year"}
    assert refused(lambda row: {name: row[name] for name in less}) == (
        f"{place}column 'auto_year': is missing; found: {', '.join(less)}"
    )
    allowed = f"is not in the schema; allowed: {known}, policy_id, fraud"
    assert refused(lambda row: row | {"mood": "bad"}) == f"{place}column 'mood': {allowed}"
    assert refused(lambda row: row | {"": ""}) == f"{place}column '': {allowed}"
    assert refused(lambda row: row | {"Fraud": ""}) == f"{place}column 'Fraud': {allowed}"


@pytest.mark.parametrize("name", ["auto_year", "fraud"])
def test_a_column_that_stands_there_twice_is_named(name: str, model: inference.Model, rows: list[Row]) -> None:
    twice = csv_body([{"fraud": "0"} | row for row in rows]).replace(b"\r\n", f",{name}\r\n".encode(), 1)
    assert refusal(model, twice, CSV).startswith(f"400 column {name!r}: stands there twice; found: fraud, driver_")
    claims = json_objects(rows, model.schema)
    second = json.dumps(claims[1])[:-1] + f', "{name}": 1, "{name}": 1}}'
    body = f"[{json.dumps(claims[0])}, {second}]"
    assert refusal(model, body, JSON) == f"400 row 2: column {name!r}: stands there twice"


# Whole bodies


def header(rows: list[Row]) -> bytes:
    return ",".join(rows[0]).encode()


BODIES: list[tuple[str, Callable[[list[Row]], bytes], str]] = [
    (CSV, lambda _: b"", "400 the body is empty; give at least one row"),
    (CSV, lambda _: b" \r\n\n", "400 the body is empty; give at least one row"),
    (CSV, header, "400 no rows below the header; give at least one"),
    (CSV, lambda rows: header(rows) + b"\n\n", "400 no rows below the header; give at least one"),
    (
        CSV,
        lambda _: b"1,2,3\n",
        "400 the CSV has no header and 3 cells a line; allowed: a header, or 28 cells, or 29 with policy_id",
    ),
    (CSV, lambda rows: csv_body(rows) + b"1,2\n", "400 row 4: 2 cells; allowed: 28, one for each column"),
    (
        CSV,
        lambda rows: csv_body(rows, header=False) + b"1,2\n",
        "400 row 4: 2 cells; allowed: 28, one for each column",
    ),
    (
        CSV,
        lambda rows: csv_body([rows[0], rows[1] | {"incident_type": "@"}]).replace(b"@", b"\xff"),
        "400 row 2: byte 0xff is not UTF-8; allowed: CSV saved as UTF-8",
    ),
    (
        CSV,
        lambda rows: csv_body([rows[0], rows[1] | {"incident_type": "@"}], header=False).replace(b"@", b"\xff"),
        "400 row 2: byte 0xff is not UTF-8; allowed: CSV saved as UTF-8",
    ),
    (
        CSV,
        lambda rows: b"\xff" + csv_body(rows),
        "400 the first line: byte 0xff is not UTF-8; allowed: CSV saved as UTF-8",
    ),
    (CSV, lambda _: b"1" * 200_000, "400 the first line: not readable as CSV: field larger than field limit (131072)"),
    (CSV, lambda rows: csv_body(rows) + b'"a\nb', "400 row 4: 1 cells; allowed: 28, one for each column"),
    (JSON, lambda _: b"", "400 the body is empty; give at least one row"),
    (JSON, lambda _: b"[]", "400 no rows in the list; give at least one"),
    (JSON, lambda _: b'{"instances": []}', "400 no rows in the list; give at least one"),
    (JSON, lambda _: b"{", "400 the body is not JSON: Expecting property name enclosed in double quotes: line 1"),
    (JSON, lambda _: b"{} {}", "400 the body is not JSON: Extra data: line 1 column 4 (char 3)"),
    (JSON, lambda _: b"\xff", "400 the body is not JSON: 'utf-8' codec can't decode byte 0xff in position 0"),
    (JSON, lambda _: b"[" * 1_000_000, "400 the body is not JSON: maximum recursion depth exceeded"),
    (JSON, lambda _: b'{"a": ' + b"1" * 5_000 + b"}", "400 the body is not JSON: Exceeds the limit (4300 digits)"),
    *(
        (JSON, lambda _, body=body: body, "400 JSON is not rows; allowed: an object, a list of objects, or")
        for body in (b"3", b"[1]", b"null", b'"text"', b'{"instances": 3}', b"[[]]", b"[{}, null]")
    ),
]


@pytest.mark.parametrize(("content_type", "make", "message"), BODIES)
def test_a_body_without_readable_claims_is_refused(
    content_type: str, make: Callable[[list[Row]], bytes], message: str, model: inference.Model, rows: list[Row]
) -> None:
    refused = refusal(model, make(rows), content_type)
    assert refused.startswith(message)


def test_a_line_stays_one_line_and_short_whatever_was_sent(model: inference.Model, rows: list[Row]) -> None:
    for name in ("a\nb\x07\u2028c", "x" * 3_000):
        line = refusal(model, json.dumps({name: 1} | json_objects(rows, model.schema)[0]), JSON)
        assert line.isprintable()
        assert len(line) <= 1_100
    assert "column 'a\\nb\\x07\\u2028c': is not in the schema" in refusal(
        model, json.dumps({"a\nb\x07\u2028c": 1} | json_objects(rows, model.schema)[0]), JSON
    )
    assert refusal(model, json.dumps([{"\n\ud800": 1}]), JSON).endswith("is missing; found: \\ud800")


def test_many_claims_are_taken(model: inference.Model, rows: list[Row]) -> None:
    assert answer(model, csv_body(rows * 5_000), CSV).count("\n") == 15_000


# Types


@pytest.mark.parametrize("content_type", ["text/libsvm", "application/jsonlines", "text", ""])
def test_another_content_type_is_refused_whatever_the_body(content_type: str, model: inference.Model) -> None:
    shown = f"415 content type {content_type!r} is not supported; allowed: text/csv, application/json"
    assert refusal(model, b"", content_type) == shown


@pytest.mark.parametrize("accept", ["image/png", "text/html, application/xml;q=0.9", ""])
def test_another_type_of_answer_is_refused(accept: str, model: inference.Model) -> None:
    shown = f"406 accept type {accept!r} is not supported; allowed: text/csv, application/json"
    assert refusal(model, b"", CSV, accept) == shown


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", CSV),
        ("text/*", CSV),
        ("application/json;charset=utf-8", JSON),
        ("image/png, APPLICATION/JSON", JSON),
        ("application/*, text/csv", JSON),
    ],
)
def test_the_answers_type_is_the_first_accepted_one(
    accept: str, answered: str, model: inference.Model, rows: list[Row]
) -> None:
    given = inference.transform_fn(model, csv_body(rows), CSV, accept)
    assert not isinstance(given, inference.Refusal)
    assert given[1] == answered


def test_a_refusal_is_a_wsgi_application(model: inference.Model) -> None:
    refused = inference.transform_fn(model, b"", CSV, CSV)
    assert isinstance(refused, inference.Refusal)
    started: list[Any] = []
    body = b"".join(refused({}, lambda *arguments: started.extend(arguments)))
    assert body == b"the body is empty; give at least one row\n"
    status, headers = started
    assert status == "400 Bad Request"
    assert dict(headers) == {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}


def test_the_refusals_of_the_documentation_are_those_that_one_gets(model: inference.Model, rows: list[Row]) -> None:
    first, second, _ = json_objects(rows, model.schema)
    twice = json.dumps(first)[:-1] + ', "fraud": 0, "fraud": 1}'
    refusals = [
        refusal(model, csv_body([rows[0], rows[1] | {"policy_state": "TX"}]), CSV),
        refusal(model, json.dumps([first | {"customer_age": "40"}, second]), JSON),
        refusal(model, twice, JSON),
        refusal(model, b"", CSV),
        refusal(model, csv_body(rows), CSV, "image/png"),
        refusal(model, csv_body(rows), "text/libsvm"),
    ]
    table = pages.rows(pages.section("docs/pipeline.md", "What a served model takes"))
    assert [f"{status} {pages.quoted(example)[0]}" for status, _, example in table] == refusals
