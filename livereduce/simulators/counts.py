"""What a simulated DAE has counted: numbers that tell where they come from, or spectra that look like a diffractometer's and grow."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_COUNT: Final = 2**31 - 1
"""Counters stay here when they are full."""

CHARGE_PER_FRAME_UAH: Final = 160.0 / 3600.0 / 40.0
"""160 uA at 40 frames/s, as on ISIS target station 1."""

_PEAKS: Final = ((0.18, 0.30), (0.31, 0.75), (0.36, 0.45), (0.52, 1.0), (0.70, 0.55))
"""Place of each peak on the time axis for the spectrum in the middle (fraction of its length), and height."""

_NOISE: Final = 65_537
"""Length of the table of normal deviates; a prime, so that spectra do not repeat each other."""


class PlainCounts:
    """Every integer of a spectrum is ``period * 1000 + spectrum`` (period from 0): constant, and it shows where a number came from."""

    def block(self, period: int, first: int, n: int, bins: int, frames: int) -> NDArray[np.int32]:
        """Return (n, bins + 1) integers of the spectra from `first` in `period`, counted from 0; they do not depend on `frames`."""
        values = (period * 1000 + np.arange(first, first + n, dtype=np.int64)).astype(np.int32)
        return np.repeat(values[:, None], bins + 1, axis=1)


class GrowingCounts:
    """Peaks on a smooth background that grow with the frames, as scattered as counting is, and never go down.

    A bin that expects m = rate * frames counts has ``m + g * sqrt(m)``, where g is a normal deviate that belongs to the bin: looked at over the
    bins it scatters as a Poisson distribution does, and looked at over time it never goes down (for g < 0 the minimum is below 0 and cut off).

    Parameters
    ----------
    spectra:
        Number of spectra over which the scattering angle goes; peaks move with it.
    seed:
        Of the normal deviates.
    """

    def __init__(self, *, spectra: int, seed: int = 0) -> None:
        self._spectra = spectra
        self._noise = np.random.default_rng(seed).standard_normal(_NOISE).clip(-3.5, 3.5)

    def block(self, period: int, first: int, n: int, bins: int, frames: int) -> NDArray[np.int32]:
        """Return (n, bins + 1) integers after `frames` frames of `period`, counted from 0; bin 0 counts the frames."""
        numbers = np.arange(first, first + n, dtype=np.int64)
        expected = frames * self._rate(numbers, period, bins)
        counts = np.empty((n, bins + 1), dtype=np.int32)
        counts[:, 0] = min(frames, MAX_COUNT)
        deviates = self._noise[(numbers[:, None] * 4099 + np.arange(bins) + period * 15_013) % _NOISE]
        counts[:, 1:] = np.clip(np.floor(expected + deviates * np.sqrt(expected)), 0, MAX_COUNT)
        return counts

    def _rate(self, numbers: NDArray[np.int64], period: int, bins: int) -> NDArray[np.float64]:
        """Counts per frame and bin: peaks where ``sin(theta)`` puts them, on what a moderator sends."""
        time = (np.arange(bins) + 0.5) / bins
        angle = np.pi * (0.19 + 0.12 * numbers / max(1, self._spectra))  # theta: the middle spectrum is at 45 degrees
        stretch = (np.sin(angle) / np.sin(np.pi / 4))[:, None]
        rate = np.broadcast_to(0.12 * np.exp(-2.0 * time) + 0.25 * time * np.exp(-4.0 * time), (len(numbers), bins)).copy()
        for place, height in _PEAKS:
            width = max(0.008 + 0.01 * place, 0.6 / bins)
            rate += height * np.exp(-0.5 * ((time - place * stretch) / width) ** 2)
        return rate * (1.0 + 0.25 * period)


Pattern = PlainCounts | GrowingCounts
