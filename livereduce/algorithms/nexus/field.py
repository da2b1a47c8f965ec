"""Single datasets and attributes: text and arrays, written and read with their checks."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

SMALL_BYTES = 16 * 1024
"""Datasets below this are stored plainly: compressing them costs more than it saves."""

CHUNK_BYTES = 512 * 1024
"""Size of a compressed piece: it fits HDF5's chunk cache of 1 MiB."""

DEFLATE_MOST = 1032
"""The most that deflate can shrink (zlib's technical details): what claims to be larger than that is not in the file."""


class LayoutError(ValueError):
    """An entry does not hold what its layout says; the message says where, what came and what is wanted."""


def put_text(group: h5py.Group, name: str, text: str, **attributes: Any) -> None:
    """Write text as an array of one fixed-length string, which is how Mantid's files hold text."""
    put_texts(group, name, [text], **attributes)


def put_texts(group: h5py.Group, name: str, texts: list[str], **attributes: Any) -> None:
    """Write an array of fixed-length UTF-8 strings."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    length = max([1, *map(len, encoded)])
    dataset = group.create_dataset(name, data=np.array(encoded, dtype=h5py.string_dtype("utf-8", length)))
    dataset.attrs.update(attributes)


def get_text(group: h5py.Group, name: str, otherwise: str = "") -> str:
    """Return the text of a dataset; `otherwise` where there is none."""
    texts = get_texts(group, name)
    return texts[0] if texts else otherwise


def get_texts(group: h5py.Group, name: str) -> list[str]:
    """Return the texts of a dataset; empty where there is none."""
    if name not in group:
        return []
    return [as_text(value) for value in np.atleast_1d(read(_dataset(group, name))).ravel().tolist()]


def as_text(value: Any) -> str:
    """Return an attribute or an element as text."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        # Old files hold units such as the degree sign in Latin-1.
        return value.decode("latin-1")


def put(group: h5py.Group, name: str, values: Any, *, deflate: bool = True, **attributes: Any) -> h5py.Dataset:
    """Write an array; large ones in compressed pieces."""
    array = np.asarray(values)
    dataset = group.create_dataset(name, data=array, **(layout(array.shape, array.dtype.itemsize) if deflate else {}))
    dataset.attrs.update(attributes)
    return dataset


def layout(shape: tuple[int, ...], itemsize: int) -> dict[str, Any]:
    """Return how to store an array: plainly when small, else rows packed into compressed pieces."""
    if np.prod(shape) * itemsize < SMALL_BYTES:
        return {}
    row = itemsize * int(np.prod(shape[1:]))
    if row <= CHUNK_BYTES:
        chunks = (max(1, min(shape[0], CHUNK_BYTES // row)), *shape[1:])
    else:
        chunks = (*(1 for _ in shape[:-1]), min(shape[-1], CHUNK_BYTES // itemsize))
    return {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}


def get(group: h5py.Group, name: str, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Read an array of numbers.

    Parameters
    ----------
    dtype:
        What it is to become.
    shape:
        Wanted shape; None where any length will do.

    Raises
    ------
    LayoutError
        If it is missing, is not numbers, or has another shape.
    """
    dataset = _dataset(group, name)
    if dataset.dtype.kind not in "iufb":
        raise LayoutError(f"{dataset.name} holds {dataset.dtype}; wanted numbers")
    if len(dataset.shape) != len(shape) or any(want is not None and have != want for have, want in zip(dataset.shape, shape, strict=True)):
        raise LayoutError(f"{dataset.name} has shape {dataset.shape}; wanted {str(shape).replace('None', 'any')}")
    return np.ascontiguousarray(read(dataset), dtype=dtype)


def read(dataset: h5py.Dataset) -> Any:
    """Return what a dataset holds, unless it claims to be larger than its bytes in the file can be.

    Raises
    ------
    LayoutError
        If it claims more: reading would fill memory with zeros that nobody wrote.
    """
    if dataset.dtype.kind == "O" or dataset.nbytes <= SMALL_BYTES + DEFLATE_MOST * dataset.id.get_storage_size():
        return dataset[()]
    raise LayoutError(f"{dataset.name} claims {dataset.nbytes} bytes and holds {dataset.id.get_storage_size()}; wanted a dataset that was written")


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    found = group.get(name)
    if not isinstance(found, h5py.Dataset):
        raise LayoutError(f"{group.name}/{name} is {'missing' if found is None else 'a group'}; wanted a dataset")
    if found.shape is None:
        raise LayoutError(f"{found.name} is empty; wanted a dataset")
    return found
