"""Asks an ISIS DAE: one request, its reply, over a connection."""

from __future__ import annotations

import logging
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import ListenerError, WireError
from livereduce.listeners.connection import READ_TIMEOUT_S, Connection
from livereduce.wire.isis_histogram import NAME_LIMIT, ElementType, GetData, GetParameter, Open, Reply, Requester

log = logging.getLogger(__name__)

RRPB_SIZE: Final = 32
"""Elements of the run parameter block."""

RRPB_CHARGE: Final = 8
"""Element of the run parameter block that is the good proton charge, uA·h."""


class IsisDae:
    """What a DAE answers, as numbers and arrays.

    Every method raises ListenerError when the DAE is gone, silent or refuses, WireError when its reply breaks the layout.

    Parameters
    ----------
    connection:
        To the DAE, not open yet.
    reply_timeout_s:
        Longest time from a request to the last byte of its reply.
    """

    def __init__(self, connection: Connection, *, reply_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._connection = connection
        self._timeout_s = reply_timeout_s
        self._requester = Requester()

    def open(self) -> None:
        """Connect and introduce ourselves."""
        self._requester = Requester()
        self._connection.connect()
        self._ask(Open())

    def number(self, name: str, *, least: int, most: int) -> int:
        """Return an integer parameter; WireError if it is out of bounds."""
        value = int(self.numbers(name, 1)[0])
        if not least <= value <= most:
            raise WireError(f"{self._connection.where}: {name} is {value}; wanted {least} to {most}", field=name, offset=88)
        return value

    def numbers(self, name: str, count: int) -> NDArray[np.int32]:
        """Return `count` integers of a parameter."""
        reply = self._answered(GetParameter(name=name, element=ElementType.INT32, count=count))
        return self._elements(reply, "<i4", count, name).astype(np.int32)

    def reals(self, name: str, count: int) -> NDArray[np.float32]:
        """Return `count` reals of a parameter."""
        reply = self._answered(GetParameter(name=name, element=ElementType.REAL32, count=count))
        return self._elements(reply, "<f4", count, name).astype(np.float32)

    def text(self, name: str) -> str:
        """Return a text parameter; empty when the DAE does not know it."""
        reply = self._ask(GetParameter(name=name, element=ElementType.CHAR, count=NAME_LIMIT))
        return reply.data.decode("latin-1").rstrip("\0 ")

    def charge_uah(self) -> float:
        """Return the good proton charge since the start of the run, uA·h; NaN when the DAE does not know it."""
        reply = self._ask(GetParameter(name="RRPB", element=ElementType.REAL32, count=RRPB_SIZE))
        block = np.frombuffer(reply.data, dtype="<f4")
        charge = float(block[RRPB_CHARGE]) if len(block) > RRPB_CHARGE else np.nan
        return charge if np.isfinite(charge) else float("nan")

    def counts(self, first: int, count: int, bins: int) -> NDArray[np.int32]:
        """Return the counts of `count` spectra from index `first`.

        Parameters
        ----------
        first:
            Index as in `GetData`.
        count:
            How many spectra.
        bins:
            Bins of each.

        Returns
        -------
        NDArray
            (count, bins) int32, a view without bin 0, which counts what came outside the bins.
        """
        reply = self._answered(GetData(first=first, count=count, words=bins + 1))
        elements = self._elements(reply, "<i4", count * (bins + 1), f"GETDAT {first}, {count}")
        return elements.astype(np.int32, copy=False).reshape(count, bins + 1)[:, 1:]

    def close(self) -> None:
        """Close the connection; the protocol has no word for goodbye."""
        self._connection.close()

    def _answered(self, message: GetParameter | GetData) -> Reply:
        reply = self._ask(message)
        if not reply.data:
            raise ListenerError(f"{self._connection.where}: refuses {_describe(message)}: the reply has no data")
        return reply

    def _ask(self, message: Open | GetParameter | GetData) -> Reply:
        """Send `message` and wait for its reply.

        What is there already belongs to no request (a refused GETDAT may be followed by its data) and is thrown away.
        """
        if dropped := self._connection.drain():
            log.debug("%s: threw away %d bytes that nobody asked for", self._connection.where, dropped)
        deadline = time.monotonic() + self._timeout_s
        self._connection.send(self._requester.request(message), deadline)
        while (reply := self._requester.next_message()) is None:
            self._requester.receive(self._receive(message, deadline))
        return reply

    def _receive(self, message: Open | GetParameter | GetData, deadline: float) -> bytes:
        try:
            return self._connection.receive(deadline)
        except ListenerError as error:
            raise ListenerError(f"{error}, while waiting (at most {self._timeout_s:g} s) for the reply to {_describe(message)}") from error

    def _elements(self, reply: Reply, dtype: str, count: int, what: str) -> NDArray[np.generic]:
        """The elements of `reply`; more than `count` cannot come, the codec refuses them."""
        elements = np.frombuffer(reply.data, dtype=dtype)
        if len(elements) != count:
            text = f"{self._connection.where}: reply to {what}: len at offset 0 leaves {len(elements)} elements; wanted {count}"
            raise WireError(text, field="len", offset=0)
        return elements


def _describe(message: Open | GetParameter | GetData) -> str:
    match message:
        case Open():
            return "the opening message"
        case GetParameter():
            return message.name
        case GetData():
            return f"GETDAT first {message.first}, count {message.count}"
