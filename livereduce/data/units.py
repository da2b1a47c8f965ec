"""Units of x by the id that Mantid and NeXus files give them.

Only names so far; conversions between them need an instrument's flight paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A quantity along an axis and what it is measured in."""

    id: str
    """Id, as ``x_unit`` of a workspace has it."""

    caption: str
    """Quantity, as an axis is labelled."""

    symbol: str = ""
    """Unit, as text."""

    @property
    def label(self) -> str:
        """Caption and symbol: ``Time-of-flight (microsecond)``."""
        return f"{self.caption} ({self.symbol})" if self.symbol else self.caption


UNITS = MappingProxyType(
    {
        unit.id: unit
        for unit in (
            Unit(id="", caption=""),
            Unit(id="Empty", caption=""),
            Unit(id="Label", caption="Quantity"),
            Unit(id="TOF", caption="Time-of-flight", symbol="microsecond"),
            Unit(id="Wavelength", caption="Wavelength", symbol="Angstrom"),
            Unit(id="Energy", caption="Energy", symbol="meV"),
            Unit(id="Energy_inWavenumber", caption="Energy", symbol="cm^-1"),
            Unit(id="dSpacing", caption="d-Spacing", symbol="Angstrom"),
            Unit(id="dSpacingPerpendicular", caption="dp-Spacing", symbol="Angstrom"),
            Unit(id="MomentumTransfer", caption="q", symbol="Angstrom^-1"),
            Unit(id="QSquared", caption="Q2", symbol="Angstrom^-2"),
            Unit(id="DeltaE", caption="Energy transfer", symbol="meV"),
            Unit(id="DeltaE_inWavenumber", caption="Energy transfer", symbol="cm^-1"),
            Unit(id="DeltaE_inFrequency", caption="Energy transfer", symbol="GHz"),
            Unit(id="Momentum", caption="Momentum", symbol="Angstrom^-1"),
            Unit(id="SpinEchoLength", caption="Spin Echo Length", symbol="nm"),
            Unit(id="SpinEchoTime", caption="Spin Echo Time", symbol="ns"),
            Unit(id="Time", caption="t", symbol="second"),
            Unit(id="Degrees", caption="Scattering angle", symbol="degrees"),
            Unit(id="Phi", caption="Phi", symbol="degrees"),
            Unit(id="Phase", caption="Phase", symbol="degrees"),
            Unit(id="Temperature", caption="Temperature", symbol="K"),
            Unit(id="AtomicDistance", caption="Atomic Distance", symbol="Angstrom"),
        )
    }
)
"""Units by id."""


def unit(unit_id: str) -> Unit:
    """Return the unit of an id; one that nobody knows is its own caption."""
    return UNITS.get(unit_id, Unit(id=unit_id, caption=unit_id))
