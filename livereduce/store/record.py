"""What the journal holds: the records, and records and workspaces as bytes.

A record is a short msgpack header and, when it carries counts, one plain array behind it, so that reading
it back from the store copies nothing.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from livereduce.errors import StoreError


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same while a run goes on: which spectra, which bins, which detectors."""

    instrument: str = ""
    """Name of the instrument as the source gives it."""

    spectrum_numbers: list[int]
    """Spectrum number of each row."""

    periods: list[int]
    """1-based period of each plane of a reading."""

    x: list[float]
    """Bin edges common to the spectra, us (TOF); empty for a source of events."""

    x_unit: str = "TOF"
    """Unit id of `x`."""

    detector_ids: list[int]
    """Spectrum-detector table: detector ids."""

    detector_spectra: list[int]
    """Spectrum-detector table: the spectrum that counts each of `detector_ids`."""


class RunStart(msgspec.Struct, frozen=True, kw_only=True, tag="run_start"):
    """A run began, or the source was found in the middle of one."""

    time_ns: int
    """ns since 1970-01-01 UTC, by the clock of the data where it has one."""

    number: int = 0
    """Run number; 0 when the source does not say."""

    title: str = ""
    """Title."""

    layout: Layout
    """Spectra and bins of the run."""


class RunEnd(msgspec.Struct, frozen=True, kw_only=True, tag="run_end"):
    """The run ended."""

    time_ns: int
    """ns since 1970-01-01 UTC."""

    number: int = 0
    """Run number."""

    reason: str = ""
    """Why, when it was not the source that said so: "dimensions changed", "counts went down"."""


class Histogram(msgspec.Struct, frozen=True, kw_only=True, tag="histogram"):
    """One reading of a histogram source, counts since the start of the run."""

    time_ns: int
    """When it was read, ns since 1970-01-01 UTC."""

    charge_uah: float
    """Good proton charge since the start of the run, uA·h; NaN when unknown."""

    shape: tuple[int, int, int]
    """(periods, spectra, bins) of the array behind the header."""


class Events(msgspec.Struct, frozen=True, kw_only=True, tag="events"):
    """Neutrons, as they came: pulses in order, each with its events."""

    time_ns: int
    """When they were received, ns since 1970-01-01 UTC."""

    n_pulses: int
    """Entries of the table of pulses behind the header."""

    n_events: int
    """Events behind that table."""


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag="gap"):
    """Something was lost: the source was away, the journal was full."""

    time_ns: int
    """ns since 1970-01-01 UTC."""

    reason: str
    """What happened."""

    lost_records: int = 0
    """Records known to be lost; 0 when it cannot be known."""


Header = RunStart | RunEnd | Histogram | Events | Gap
Counts = NDArray[np.int32]


PULSE = np.dtype([("time_ns", "<i8"), ("charge_uah", "<f4"), ("period", "<u4"), ("n_events", "<u4"), ("first_row", "<u4")])
"""One pulse, or the part of one that came in a packet: its time, ns since 1970-01-01 UTC; proton charge; period from 0; how many of the events are
its own; the `row` that the source counts its spectra from, 0 or 1."""

EVENT = np.dtype([("tof_us", "<f4"), ("row", "<u4")])
"""One event: time of flight since its pulse, us; spectrum as the source counts them."""


class Neutrons(msgspec.Struct, frozen=True):
    """The arrays of a record of events."""

    pulses: NDArray[np.void]
    """(n_pulses,), `PULSE`."""

    events: NDArray[np.void]
    """(n_events,), `EVENT`: those of the first pulse, then those of the second, ..."""


class Record(msgspec.Struct, frozen=True):
    """One entry of the journal."""

    header: Header
    """What it is."""

    counts: Counts | None = None
    """(periods, spectra, bins) int32 for a `Histogram`, else None."""

    neutrons: Neutrons | None = None
    """Pulses and events for `Events`, else None."""


ALIGNMENT = 64
"""Arrays start at multiples of this many bytes: a cache line, and what vector instructions like."""

_header_encoder = msgspec.msgpack.Encoder()
_header_decoder = msgspec.msgpack.Decoder(Header)


def encode(record: Record) -> bytes:
    """Return `record` as bytes: length of the header (4 bytes, little-endian), header, padding, counts."""
    header = _header_encoder.encode(record.header)
    prefix = len(header).to_bytes(4, "little") + header
    padding = b"\0" * (-len(prefix) % ALIGNMENT)
    if record.counts is not None:
        return b"".join((prefix, padding, np.ascontiguousarray(record.counts, dtype="<i4").data))
    if record.neutrons is not None:
        return b"".join((prefix, padding, record.neutrons.pulses.tobytes(), record.neutrons.events.tobytes()))
    return prefix


def decode(data: bytes) -> Record:
    """Return the record that `encode` wrote; its counts are a read-only view of `data`.

    Raises
    ------
    StoreError
        If `data` is not a record; says what is wrong with it.
    """
    try:
        size = int.from_bytes(data[:4], "little")
        header = _header_decoder.decode(data[4 : 4 + size])
        offset = 4 + size + (-(4 + size) % ALIGNMENT)
        if isinstance(header, Histogram):
            return Record(header, np.frombuffer(data, dtype="<i4", offset=offset).reshape(header.shape))
        return Record(header, neutrons=_neutrons(data, offset, header)) if isinstance(header, Events) else Record(header)
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreError(f"a journal record of {len(data)} bytes cannot be read: {error}; it is skipped") from error


def _neutrons(data: bytes, offset: int, header: Events) -> Neutrons:
    pulses = np.frombuffer(data, dtype=PULSE, count=header.n_pulses, offset=offset)
    events = np.frombuffer(data, dtype=EVENT, count=header.n_events, offset=offset + pulses.nbytes)
    if int(pulses["n_events"].sum(dtype=np.int64)) != header.n_events:
        raise ValueError(f"its pulses have {pulses['n_events'].sum(dtype=np.int64)} events, its header says {header.n_events}")
    return Neutrons(pulses, events)
