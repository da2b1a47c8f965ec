"""The beamline of a simulated ADARA server: what it has, and the messages that describe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from livereduce.wire.adara import Message
from livereduce.wire.adara_documents import Device, Variable, write_device
from livereduce.wire.adara_metadata import (
    EVENTS,
    BankSet,
    BeamlineInfo,
    BeamMonitorConfig,
    DetectorBankSets,
    DeviceDescriptor,
    Geometry,
    MonitorConfig,
)
from livereduce.wire.adara_pixels import PixelMappingAlt, PixelSection
from livereduce.wire.adara_variables import Value, ValueKind

FRAME_US: Final = 16_667
"""Length of a frame, us."""

MONITOR_DISTANCE_M: Final = 1.0
"""Between monitors, m."""

SECTION_PIXELS: Final = 0x7FFF
"""Most pixels in one section of the pixel map."""

DEVICE: Final = 8200
"""Device id of the simulated sample environment; lower ones are the server's own."""

_KIND: Final = {"double": ValueKind.DOUBLE, "string": ValueKind.STRING, "double array": ValueKind.DOUBLE_ARRAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedVariable:
    """A process variable and its first value."""

    name: str
    """What scripts call it by."""

    type: str
    """As in a descriptor."""

    value: Value
    """Value at the beginning."""

    unit: str = ""
    """Unit."""

    @property
    def kind(self) -> ValueKind:
        """What its values are sent as."""
        return _KIND.get(self.type, ValueKind.U32)


VARIABLES: Final = (
    SimulatedVariable(name="SIM:Temperature", type="double", value=295.5, unit="K"),
    SimulatedVariable(name="SIM:Counter", type="integer", value=0),
    SimulatedVariable(name="SIM:Message", type="string", value="ready"),
    SimulatedVariable(name="SIM:Shutter", type="enum_01", value=1),
    SimulatedVariable(name="SIM:Profile", type="double array", value=np.array([0.5, 1.0, 0.5]), unit="mm"),
)
"""The variables of the simulated sample environment, with ids 1, 2, 3, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beamline:
    """How large the simulated beamline is."""

    name: str = "SIMSNS"
    """Name of the instrument."""

    banks: int = 4
    """Detector banks, with ids from 1."""

    pixels: int = 4096
    """Pixels of all banks, ids from 0; a multiple of `banks`."""

    monitors: int = 2
    """Beam monitors, ids from 1; in the geometry they are -1, -2, ..."""

    sources: int = 2
    """Sources of packets: bank b comes from source b modulo this."""

    tof_offset_100ns: int = 0
    """Skew of the frames that the last source leaves to its clients to add, 100 ns."""

    variables: tuple[SimulatedVariable, ...] = field(default=VARIABLES)
    """Process variables."""

    def __post_init__(self) -> None:
        for name, least in (("banks", 1), ("pixels", self.banks), ("monitors", 0), ("sources", 1), ("tof_offset_100ns", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; wanted {least} or more")
        if self.pixels % self.banks:
            raise ValueError(f"{self.pixels} pixels for {self.banks} banks; wanted as many for each")

    @property
    def bank_pixels(self) -> int:
        """Pixels of one bank."""
        return self.pixels // self.banks

    def bank_names(self) -> Iterator[tuple[int, range]]:
        """Yield each bank's id and its pixels."""
        for bank in range(self.banks):
            yield bank + 1, range(bank * self.bank_pixels, (bank + 1) * self.bank_pixels)

    def messages(self, time_ns: int) -> list[Message]:
        """Return what describes the beamline, values of variables not included."""
        monitors = tuple(
            MonitorConfig(id=i + 1, tof_offset_us=0, max_tof_us=FRAME_US, bin_us=10, distance_m=MONITOR_DISTANCE_M * (i + 1), format=EVENTS)
            for i in range(self.monitors)
        )
        banks = BankSet(
            name="all", format=EVENTS, banks=tuple(bank for bank, _ in self.bank_names()), tof_offset_us=0, max_tof_us=FRAME_US, bin_us=10
        )
        return [
            Geometry(time_ns=time_ns, xml=geometry(self)),
            BeamlineInfo(time_ns=time_ns, id="99", short_name=self.name, long_name=self.name),
            BeamMonitorConfig(time_ns=time_ns, monitors=monitors),
            DetectorBankSets(time_ns=time_ns, sets=(banks,)),
        ]

    def pixel_map(self, time_ns: int) -> PixelMappingAlt:
        """Return the map of pixels: physical and logical ids are the same."""
        sections = [
            PixelSection(bank=bank, physical=pixels[start : start + SECTION_PIXELS], logical=pixels[start : start + SECTION_PIXELS])
            for bank, pixels in self.bank_names()
            for start in range(0, len(pixels), SECTION_PIXELS)
        ]
        return PixelMappingAlt.of(sections, time_ns=time_ns)

    def descriptor(self, time_ns: int) -> DeviceDescriptor:
        """Return what describes the variables."""
        variables = tuple(Variable(id=i, name=one.name, type=one.type, unit=one.unit) for i, one in enumerate(self.variables, start=1))
        device = Device(name="Simulated sample environment", variables=variables, enumerations=(("enum_01", (("closed", 0), ("open", 1))),))
        return DeviceDescriptor(time_ns=time_ns, device=DEVICE, xml=write_device(device))


def geometry(beamline: Beamline) -> str:
    """Return the instrument's definition: banks on a circle of 2 m around the sample, 20 m from the source, pixels one above the other."""
    n = beamline.bank_pixels
    pixels = "".join(f'<location y="{0.01 * (i - (n - 1) / 2):.4f}" name="pixel{i + 1}"/>' for i in range(n))
    banks, ids = [], []
    for bank, own in beamline.bank_names():
        angle = 20.0 + 120.0 * (bank - 1) / beamline.banks
        banks.append(f'<component type="bank" name="bank{bank}" idlist="bank{bank}"><location r="2.0" t="{angle:.3f}" p="0.0"/></component>')
        ids.append(f'<idlist idname="bank{bank}"><id start="{own[0]}" end="{own[-1]}"/></idlist>')
    monitors = [f'<location z="{-MONITOR_DISTANCE_M * (i + 1):.3f}" name="monitor{i + 1}"/>' for i in range(beamline.monitors)]
    monitor_ids = [f'<id val="{-i - 1}"/>' for i in range(beamline.monitors)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<instrument name="{beamline.name}" valid-from="1990-01-01 00:00:00" last-modified="2024-01-01 00:00:00">',
        '<defaults><length unit="meter"/><angle unit="degree"/><reference-frame><along-beam axis="z"/><pointing-up axis="y"/>'
        '<handedness val="right"/></reference-frame></defaults>',
        '<component type="moderator"><location z="-20.0"/></component><type name="moderator" is="Source"/>',
        '<component type="sample-position"><location/></component><type name="sample-position" is="SamplePos"/>',
        *banks,
        f'<type name="bank"><component type="pixel">{pixels}</component></type>',
        '<type name="pixel" is="detector"><cuboid id="box"><left-front-bottom-point x="0.005" y="-0.005" z="0.0"/>'
        '<left-front-top-point x="0.005" y="0.005" z="0.0"/><left-back-bottom-point x="0.005" y="-0.005" z="-0.001"/>'
        '<right-front-bottom-point x="-0.005" y="-0.005" z="0.0"/></cuboid><algebra val="box"/></type>',
        *ids,
    ]
    if monitors:
        lines += [
            '<component type="monitors" idlist="monitors"><location/></component>',
            f'<type name="monitors"><component type="monitor">{"".join(monitors)}</component></type><type name="monitor" is="monitor"/>',
            f'<idlist idname="monitors">{"".join(monitor_ids)}</idlist>',
        ]
    return "\n".join([*lines, "</instrument>"])
