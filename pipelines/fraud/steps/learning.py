"""What the schema leaves to the data: the categories that it does not list, and the other value of the label."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from columns import MAX_CATEGORIES, Column, DataError, Document

SHOWN = 5
Categories = Mapping[str, list[str]]


def binary_label(column: Column, values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int8], tuple[str, str]]:
    """Return the label of each row, 0 or 1, and what the files call the two."""
    if column.positive is None:
        return values.to_numpy(), ("0", "1")
    coded = values.combine_chunks()
    texts = coded.dictionary.to_pylist()
    found = sorted(texts[position] for position in np.unique(coded.indices.to_numpy()))
    if len(found) != 2 or column.positive not in found:
        raise DataError(
            f"has {len(found)} values ({_some(found)}); allowed: two, of which {column.positive!r} is the positive one",
            column=column.name,
        )
    negative = next(text for text in found if text != column.positive)
    positives = np.array([text == column.positive for text in texts], np.int8)
    return positives[coded.indices.to_numpy()], (negative, column.positive)


def learn_categories(column: Column, values: pa.ChunkedArray, training: npt.NDArray[np.bool_]) -> list[str]:
    """Return the texts that the training rows of an open category have, sorted; none where all are empty."""
    coded = values.combine_chunks()
    there = training & coded.is_valid().to_numpy(zero_copy_only=False)
    texts = coded.dictionary.to_pylist()
    found = sorted(texts[position] for position in np.unique(coded.indices.fill_null(0).to_numpy()[there]))
    if len(found) > MAX_CATEGORIES:
        raise DataError(
            f"has {len(found)} different texts in the training rows ({_some(found)}); allowed: {MAX_CATEGORIES} at "
            "most; make fewer of them in the files, or put it under drop",
            column=column.name,
        )
    return found


def encode_learned(column: Column, values: pa.ChunkedArray) -> pa.Array:
    """Return the codes of a category whose texts were learned; a text that no training row has is missing."""
    coded = values.combine_chunks()
    codes = pa.array([column.codes.get(text) for text in coded.dictionary.to_pylist()], column.code_type)
    return codes.take(coded.indices)


def close(document: Document, learned: Categories) -> Document:
    """Return a schema's document with learned categories in it; where none were, the column is to be left out."""
    empty = [name for name, texts in learned.items() if not texts]

    def closed(entry: Document) -> Document:
        return {**entry, "categories": learned[entry["name"]]} if entry["name"] in learned else entry

    tables = {
        name: [closed(entry) for entry in entries if entry["name"] not in empty]
        for name, entries in document["tables"].items()
    }
    return {**document, **({"drop": [*document.get("drop", []), *empty]} if empty else {}), "tables": tables}


def _some(texts: list[str]) -> str:
    return ", ".join([*texts[:SHOWN], *(["..."] if len(texts) > SHOWN else [])])
