"""Units as NeXus readers know them, by the unit ids that workspaces carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a unit id is told to people and to readers of units."""

    field: str
    """Name of the axis in the default plot."""

    title: str
    """Name for people."""

    unit: str
    """Unit as UDUNITS, scipp and pint read it; empty for a plain number."""


QUANTITIES = {
    "TOF": Quantity("time_of_flight", "Time of flight", "microsecond"),
    "Wavelength": Quantity("wavelength", "Wavelength", "angstrom"),
    "dSpacing": Quantity("d_spacing", "d-spacing", "angstrom"),
    "dSpacingPerpendicular": Quantity("d_spacing_perpendicular", "Perpendicular d-spacing", "angstrom"),
    "Energy": Quantity("energy", "Energy", "meV"),
    "Energy_inWavenumber": Quantity("energy", "Energy", "1/cm"),
    "DeltaE": Quantity("energy_transfer", "Energy transfer", "meV"),
    "DeltaE_inWavenumber": Quantity("energy_transfer", "Energy transfer", "1/cm"),
    "DeltaE_inFrequency": Quantity("energy_transfer", "Energy transfer", "GHz"),
    "MomentumTransfer": Quantity("momentum_transfer", "Momentum transfer", "1/angstrom"),
    "QSquared": Quantity("momentum_transfer_squared", "Momentum transfer squared", "1/angstrom^2"),
    "Momentum": Quantity("momentum", "Momentum", "1/angstrom"),
    "AtomicDistance": Quantity("atomic_distance", "Atomic distance", "angstrom"),
    "SpinEchoLength": Quantity("spin_echo_length", "Spin echo length", "nm"),
    "SpinEchoTime": Quantity("spin_echo_time", "Spin echo time", "ns"),
    "Time": Quantity("time", "Time", "second"),
    "Degrees": Quantity("scattering_angle", "Scattering angle", "degree"),
    "Phi": Quantity("phi", "Phi", "degree"),
    "Temperature": Quantity("temperature", "Temperature", "K"),
}
"""Quantities by unit id."""

SPECTRUM = Quantity("spectrum", "Spectrum", "")
"""The vertical axis when it is the spectrum number."""


def quantity(unit_id: str, plain: str) -> Quantity:
    """Return the quantity of a unit id; an axis called `plain` without a unit when the id is not known."""
    return QUANTITIES.get(unit_id, Quantity(plain, unit_id or plain, ""))


def label(name: str, unit: str) -> str:
    """Return the text for an axis: name and, where there is one, unit."""
    return f"{name} ({unit})" if unit else name


def per(numerator: str, unit: str) -> str:
    """Return the unit of `numerator` divided by `unit`."""
    if not unit:
        return numerator
    return f"{numerator or '1'}/{f'({unit})' if '/' in unit else unit}"
