"""What a source of data is to the receiver, and how one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from livereduce.errors import ConfigError
from livereduce.store.record import Counts, Record, RunStart

READ_WAIT_S = 0.2
"""Longest time for which `Listener.read` blocks when the source has nothing: what a receiver that is asked to stop may have to wait."""


@runtime_checkable
class Source(Protocol):
    """Yields the records of a source, in order, once each.

    Everything but `interrupt` is called from one thread. After an error the receiver calls `close`, waits, and calls `connect` again.
    """

    def connect(self) -> None:
        """Open the connection.

        Raises
        ------
        ListenerError
            If the source is not there, refuses, or does not answer in time.
        WireError
            If it answers something that its protocol does not allow.
        """

    def read(self) -> list[Record]:
        """Return what the source has; [] when that is nothing within `READ_WAIT_S`.

        Raises
        ------
        ListenerError, WireError
            As `connect`; the connection is of no use any more.
        """

    def interrupt(self) -> None:
        """Make a `connect` or `read` that blocks end promptly; may be called from any thread, holds until `close`."""

    def close(self) -> None:
        """Give the connection back and forget what was read; may be called at any time, also twice."""


@runtime_checkable
class Listener(Source, Protocol):
    """A source that can continue a run and show the bytes it stumbled over."""

    def resume(self, start: RunStart, counts: Counts | None) -> None:
        """Say which run is still open, before the first `read` of a connection: a source whose run is the same yields no new run start.

        Parameters
        ----------
        start:
            Its start, with its number and layout.
        counts:
            (periods, spectra, bins), its newest reading; None when it has none, as those of a source of events.
        """

    def last_bytes(self) -> bytes:
        """Return the latest bytes received, at most 64 kB, for the report on a packet that breaks its layout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Which source, and what to read from it."""

    type: str
    """Name of a kind of listener in the registry."""

    address: str = ""
    """host:port; empty for the default of the kind."""

    periods: tuple[int, ...] | None = None
    """1-based periods to read, any order; None for all."""

    spectra: tuple[int, ...] | None = None
    """Spectrum numbers to read, one row each in this order, duplicates allowed; None for all."""

    poll_s: float = 30.0
    """s between readings of a source that has to be asked."""

    options: Mapping[str, object] = field(default_factory=dict)
    """What else the kind of listener knows."""

    def __post_init__(self) -> None:
        if self.address:
            split_address(self.address)
        for name, numbers in (("periods", self.periods), ("spectra", self.spectra)):
            _check_numbers(name, numbers)
        if not 0 < self.poll_s < float("inf"):
            raise ConfigError(f"poll_s: got {self.poll_s}, wanted seconds above 0")


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``; the host of ``[::1]:6789`` is ``::1``.

    Raises
    ------
    ConfigError
        If it is not of that form.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigError(f"listener.address: got {address!r}, wanted host:port with a port of 1 to 65535, such as 127.0.0.1:56789")
    return host, int(port)


def _check_numbers(name: str, numbers: tuple[int, ...] | None) -> None:
    if numbers is None:
        return
    if not numbers:
        raise ConfigError(f"{name}: got an empty list, wanted at least one number, or null for all")
    for number in numbers:
        if number < 1:
            raise ConfigError(f"{name}: got {number}, wanted numbers from 1")
