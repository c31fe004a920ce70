"""Which rows train a model, which stop its training and which measure it: by a hash, so that no order matters."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from columns import DataError

SPLITS = {"train": 0.6, "validation": 0.2, "test": 0.2}
Keys = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


def assign_splits(
    labels: npt.NDArray[np.int8], keys: Keys, seed: int, *, names: Sequence[str] = ("0", "1")
) -> npt.NDArray[np.int8]:
    """Return each row's position in SPLITS, stratified by the labels; `names` are what the files call these."""
    splits = np.empty(len(labels), dtype=np.int8)
    for label, name in enumerate(names):
        rows = np.flatnonzero(labels == label)
        if len(rows) < len(SPLITS):
            raise DataError(
                f"{len(rows)} of {len(labels)} rows have the label {name}; "
                f"allowed: at least {len(SPLITS)}, one each for {', '.join(SPLITS)}"
            )
        rows = rows[np.argsort(_mix(keys[rows].astype(np.uint64) + _start(seed)), kind="stable")]
        held_out = [max(1, round(len(rows) * share)) for share in list(SPLITS.values())[1:]]
        bounds = np.cumsum([len(rows) - sum(held_out), *held_out])
        splits[rows] = np.searchsorted(bounds, np.arange(len(rows)), side="right")
    return splits


def id_keys(ids: pa.ChunkedArray) -> Keys:
    """Return a number for each id: a whole number is its own."""
    if pa.types.is_string(ids.type):
        return _hash_texts(ids.to_pylist()).astype(np.int64)
    numbers: Keys = ids.to_numpy()
    return numbers


def content_keys(table: pa.Table) -> Keys:
    """Return a number for each row, made of all its cells: rows without an id are told apart by what they hold."""
    keys = np.zeros(table.num_rows, np.uint64)
    for column in table.columns:
        keys = _mix(keys + _start(0) + _bits(column))
    return keys.astype(np.int64)


def _bits(column: pa.ChunkedArray) -> Hashes:
    if pa.types.is_dictionary(column.type):
        coded = column.combine_chunks()
        texts = coded.dictionary.to_pylist()
        # What is missing is no text.
        hashes: Hashes = _hash_texts([*texts, "\0"])[coded.indices.fill_null(len(texts)).to_numpy()]
        return hashes
    # Adding zero makes one number of the two zeros.
    numbers = column.to_numpy().astype(np.float32) + np.float32(0)
    numbers[np.isnan(numbers)] = np.nan
    bits: Hashes = numbers.view(np.uint32).astype(np.uint64)
    return bits


def _hash_texts(texts: Iterable[str]) -> Hashes:
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _start(seed: int) -> np.uint64:
    return np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)


def _mix(mixed: Hashes) -> Hashes:
    # SplitMix64: the same on every platform and in every version of numpy, unlike numpy's own shuffles.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
