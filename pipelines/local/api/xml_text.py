"""XML as AWS writes and reads it: nested members, lists as repeated elements."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from xml.etree import ElementTree

from pipelines.local.errors import ServiceError

Value: TypeAlias = str | int | bool | Mapping[str, "Value"] | Sequence[Mapping[str, "Value"]] | None
Members: TypeAlias = Mapping[str, Value]

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", '"': "&quot;"})


def write_xml(name: str, members: Value, namespace: str = "") -> bytes:
    """Return a document of one element; None leaves a member out, characters that XML cannot hold become '?'."""
    attribute = f' xmlns="{namespace}"' if namespace else ""
    return f"{HEADER}<{name}{attribute}>{_content(members)}</{name}>".encode()


def read_xml(body: bytes) -> ElementTree.Element:
    """Return the root element of a document, its names without their namespaces.

    Raises:
        ServiceError: MalformedXML.
    """
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 -- it comes from this machine, and expat bounds entities
    except ElementTree.ParseError as error:
        raise ServiceError("MalformedXML", f"the body of the request is not XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _content(value: Value) -> str:
    if isinstance(value, Mapping):
        return "".join(_element(name, member) for name, member in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return NOT_XML.sub("?", str(value)).translate(ESCAPES)


def _element(name: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(name, item) for item in value)
    return f"<{name}>{_content(value)}</{name}>"
