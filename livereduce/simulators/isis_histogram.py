"""A simulated ISIS histogram DAE: answers what Mantid's FakeISISHistoDAE answers, byte for byte.

It differs where that one fails its clients:

- requests may arrive in any pieces, and one without data is answered like any other;
- a GETDAT beyond the last spectrum or period gets the bare OK that says so, and *not* the data of the refused request after it;
- an opening of the right length may come in pieces too; any other first bytes count as one, whatever they are;
- it listens on this machine alone unless told otherwise.

The replies for monitors keep the dims of the other spectra, [n, bins + 1], though their data have 2 * bins + 1: clients have to cope with that.

With ``growing`` the counts are not constant: see `GrowingCounts`.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livereduce.simulators.arguments import add_fault, end_on_signals, number, real
from livereduce.simulators.counts import CHARGE_PER_FRAME_UAH, GrowingCounts, Pattern, PlainCounts
from livereduce.simulators.server import AnsweringServer
from livereduce.wire.isis_histogram import OPEN_SIZE, ElementType, GetData, GetParameter, Open, OtherRequest, Reply, Responder, encode

MONITORS: Final = 3
"""Monitors behind the other spectra, with twice as many bins."""

PLAIN_CHARGE_UAH: Final = 3.14
"""Charge when nothing grows."""

DEFAULT_PORT: Final = 56789
"""Where clients of the simulated DAE look for it."""

REPLY_LIMIT: Final = 256 * 1024 * 1024
"""Most bytes of counts in one reply; a client that asks for more is refused."""

LENGTH_SIZE: Final = 4
"""Bytes of ``len``, with which an opening begins."""

MAX_RATE: Final = 1e6
"""Most frames per second: with these it takes centuries until frames cannot be told apart in a float."""

BARE_OK: Final = Reply()
"""Says no more than that a request was heard: the parameter is not known, the data are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the simulated instrument is."""

    periods: int = 1
    """Number of periods."""

    spectra: int = 100
    """Number of spectra, monitors not counted."""

    bins: int = 30
    """Bins of each spectrum; monitors have twice as many."""

    def __post_init__(self) -> None:
        for name in ("periods", "spectra", "bins"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; wanted 1 or more")

    @property
    def total(self) -> int:
        """Spectra and monitors."""
        return self.spectra + MONITORS

    @property
    def stride(self) -> int:
        """Indices from one period to the next: spectrum 0 comes with each."""
        return self.total + 1


class HistogramDae:
    """What the simulated DAE counts and answers; threads may share it.

    Parameters
    ----------
    size:
        How large it is.
    name:
        Of the instrument.
    growing:
        Whether counts and charge grow with the frames.
    rate:
        Frames per second of `monotonic_s`; 0 for those of `add_frames` alone.
    seed:
        Of the growing counts.
    monotonic_s:
        The clock, s.
    """

    def __init__(
        self,
        size: Size | None = None,
        *,
        name: str = "MUSR",
        growing: bool = False,
        rate: float = 0.0,
        seed: int = 0,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size or Size()
        self._name = name
        self._growing, self._rate, self._seed = growing, rate, seed
        self._monotonic_s = monotonic_s
        self._lock = threading.RLock()
        self._pattern = self._make_pattern()
        self._added, self._began_s = 0, monotonic_s()

    @property
    def size(self) -> Size:
        """How large it is now."""
        with self._lock:
            return self._size

    @property
    def frames(self) -> int:
        """Frames since the start of the run."""
        with self._lock:
            return self._added + int((self._monotonic_s() - self._began_s) * self._rate)

    @property
    def charge_uah(self) -> float:
        """Good proton charge since the start of the run, uA·h, in the 32 bits that clients get."""
        return float(np.float32(self.frames * CHARGE_PER_FRAME_UAH if self._growing else PLAIN_CHARGE_UAH))

    def add_frames(self, n: int) -> None:
        """Count `n` more frames at once."""
        if n < 0:
            raise ValueError(f"{n} frames to add; wanted 0 or more")
        with self._lock:
            self._added += n

    def reset(self) -> None:
        """Begin a new run: clear counts and charge."""
        with self._lock:
            self._added, self._began_s = 0, self._monotonic_s()

    def resize(self, *, periods: int | None = None, spectra: int | None = None, bins: int | None = None) -> None:
        """Change the dimensions, and begin a new run."""
        changes = {name: value for name, value in (("periods", periods), ("spectra", spectra), ("bins", bins)) if value is not None}
        with self._lock:
            self._size = replace(self._size, **changes)
            self._pattern = self._make_pattern()
            self.reset()

    def counts(self) -> NDArray[np.int32]:
        """Return the truth: (periods, spectra, bins) without monitors, spectrum 0 and bin 0."""
        with self._lock:
            size = self._size
            return np.stack([self._block(period, 1, size.spectra, size.bins) for period in range(size.periods)])[:, :, 1:]

    def answer(self, message: Open | GetParameter | GetData | OtherRequest) -> Reply:
        """Return the reply to `message`."""
        with self._lock:
            match message:
                case GetParameter():
                    return self._parameter(message.name)
                case GetData():
                    return self._data(message.first, message.count)
                case _:
                    return BARE_OK

    def _make_pattern(self) -> Pattern:
        return GrowingCounts(spectra=self._size.total, seed=self._seed) if self._growing else PlainCounts()

    def _parameter(self, name: str) -> Reply:
        size = self._size
        if name == "NAME":
            text = self._name.encode("latin-1")
            return Reply(element=ElementType.CHAR, dims=(len(text),), data=text)
        if name == "RTCB1":
            return _reals(10000.0 + 100.0 * np.arange(size.bins + 1))
        if name == "RTCB2" or (name.startswith("RTCB_") and len(name) > len("RTCB_")):
            return _reals(10000.0 + 10.0 * np.arange(2 * size.bins + 1))
        if name == "RRPB":
            return _reals(np.where(np.arange(32) == 8, self.charge_uah, 0.0))
        return self._integers(name)

    def _integers(self, name: str) -> Reply:
        size = self._size
        numbers = {"NPER": size.periods, "NSP1": size.spectra, "NSP2": MONITORS, "NTC1": size.bins, "NTC2": 2 * size.bins}
        numbers |= {"NDET": size.total, "NMON": MONITORS}
        if name in numbers:
            return _ints(np.array([numbers[name]]))
        if name in ("UDET", "SPEC"):
            return _ints(np.arange(1, size.total + 1))
        if name == "MDET":
            return _ints(np.arange(size.spectra + 1, size.total + 1))
        return BARE_OK

    def _data(self, first: int, count: int) -> Reply:
        size = self._size
        period, start = divmod(first, size.stride) if size.periods > 1 else (0, first)
        bins = size.bins if start <= size.spectra else 2 * size.bins
        in_range = first >= 0 and count >= 0 and period < size.periods and start + count <= size.stride
        if not in_range or 4 * count * (bins + 1) > REPLY_LIMIT:
            return BARE_OK
        block = self._block(period, start, count, bins)
        return Reply(element=ElementType.INT32, dims=(count, size.bins + 1), data=block.astype("<i4").tobytes())

    def _block(self, period: int, first: int, n: int, bins: int) -> NDArray[np.int32]:
        # Frames go to the periods in turn, as on an instrument that steps through them.
        frames = (self.frames + self._size.periods - 1 - period) // self._size.periods
        return self._pattern.block(period, first, n, bins, frames)


class DaeConversation:
    """One client's conversation with a DAE."""

    def __init__(self, dae: HistogramDae) -> None:
        self._dae = dae
        self._responder = Responder()
        self._opening: bytes | None = b""

    def answer(self, data: bytes) -> list[bytes]:
        """Return the replies to the requests that `data` completes; WireError if it breaks the layout."""
        self._responder.receive(self._opened(data))
        replies = []
        while (message := self._responder.next_message()) is not None:
            replies.append(encode(self._dae.answer(message)))
        return replies

    def _opened(self, data: bytes) -> bytes:
        """Return `data`, with a proper opening in the place of the client's: what stands in that one is nobody's business here."""
        if self._opening is None:
            return data
        self._opening += data
        if len(self._opening) < LENGTH_SIZE:
            return b""
        size = OPEN_SIZE if int.from_bytes(self._opening[:LENGTH_SIZE], "little") == OPEN_SIZE else len(self._opening)
        if len(self._opening) < size:
            return b""
        rest, self._opening = self._opening[size:], None
        return encode(Open()) + rest


class HistogramServer(AnsweringServer):
    """A simulated DAE on a port.

    Parameters
    ----------
    dae:
        What it serves; Mantid's default size when None.
    host, port:
        To listen on; port 0 takes a free one.
    """

    def __init__(self, dae: HistogramDae | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.dae = dae or HistogramDae()
        """What it serves."""
        super().__init__(lambda: DaeConversation(self.dae), host=host, port=port)

    def __enter__(self) -> HistogramServer:
        return self


def main(argv: Sequence[str] | None = None, *, stop: threading.Event | None = None) -> int:
    """Serve until SIGINT, SIGTERM or `stop`; return the exit code.

    Parameters
    ----------
    argv:
        Arguments; those of the process when None.
    stop:
        Ends it when set; without one, signals do.
    """
    chosen = _parser().parse_args(argv)
    stop = stop or end_on_signals()  # before anybody can know that we are there
    growing = chosen.growing
    dae = HistogramDae(
        Size(periods=chosen.periods, spectra=chosen.spectra, bins=chosen.bins),
        name=chosen.name,
        growing=growing,
        rate=chosen.rate if growing else 0.0,
        seed=chosen.seed,
    )
    try:
        server = HistogramServer(dae, host=chosen.host, port=chosen.port)
    except OSError as error:
        print(f"cannot listen on {chosen.host}:{chosen.port}: {error}", file=sys.stderr)
        return 1
    with server:
        server.fault = chosen.fault
        kind = f"growing, {chosen.rate:g} frames/s" if growing else "constant"
        print(f"Simulated ISIS histogram DAE on {server.address} ({_describe(dae.size)}, {kind})", flush=True)
        stop.wait()
    return 0


def _describe(size: Size) -> str:
    return f"{size.periods} periods, {size.spectra} spectra + {MONITORS} monitors, {size.bins} bins"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livereduce fake histogram",
        description="A simulated ISIS histogram DAE.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=number(0, 65535), default=DEFAULT_PORT, help="port to listen on; 0 for a free one")
    parser.add_argument("--periods", type=number(1, 10_000), default=1, help="number of periods")
    parser.add_argument("--spectra", type=number(1, 4_000_000), default=100, help="number of spectra, without the three monitors")
    parser.add_argument("--bins", type=number(1, 1_000_000), default=30, help="bins of a spectrum; monitors have twice as many")
    parser.add_argument("--name", default="MUSR", help="name of the instrument")
    parser.add_argument("--growing", action="store_true", help="peaks that grow with time instead of constant numbers")
    parser.add_argument("--rate", type=real(0, MAX_RATE, "frames per second"), default=40.0, help="frames per second of what grows")
    parser.add_argument("--seed", type=int, default=0, help="of the scatter of what grows")
    add_fault(parser)
    return parser


def _ints(values: NDArray[np.int64]) -> Reply:
    return Reply(element=ElementType.INT32, dims=(len(values),), data=values.astype("<i4").tobytes())


def _reals(values: NDArray[np.floating[Any]]) -> Reply:
    return Reply(element=ElementType.REAL32, dims=(len(values),), data=values.astype("<f4").tobytes())


if __name__ == "__main__":
    sys.exit(main())
