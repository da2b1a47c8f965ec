"""The ADARA codec against what Mantid made of recorded streams; where Mantid is wrong, the test says so and follows what is right."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livereduce.data.run import EPOCH_1990_NS
from livereduce.wire.adara import CLIENT_PAYLOAD_LIMIT, Message, Reader, encode
from livereduce.wire.adara_control import START_NOW, ClientHello, RunState, RunStatus
from livereduce.wire.adara_documents import read_device
from livereduce.wire.adara_events import ERROR_BANK, BankedEvents
from livereduce.wire.adara_metadata import BeamlineInfo, DeviceDescriptor
from livereduce.wire.adara_variables import VariableValue

CAPTURES = Path(__file__).parent.parent / "golden" / "captures"
NAMES = ["adara-basic", "adara-run-transition", "adara-sources-offsets"]
PIXELS = range(6)
"""Those of the geometry in the captures."""

names = pytest.mark.parametrize("name", NAMES)
Events = dict[int, list[tuple[int, float]]]


def messages(name: str, size: int = 10**6) -> list[Message]:
    data = (CAPTURES / f"{name}.s2c.bin").read_bytes()
    reader = Reader()
    found = [message for i in range(0, len(data), size) for message in reader.receive(data[i : i + size])]
    assert reader.unknown_packets == 0
    return [message for message in found if isinstance(message, Message)]


def chunks(name: str) -> list[dict[str, Any]]:
    recorded: list[dict[str, Any]] = json.loads((CAPTURES / f"{name}.workspace.json").read_text())["chunks"]
    return recorded


def recorded_events(name: str) -> Events:
    found: Events = defaultdict(list)
    for chunk in chunks(name):
        for spectrum in chunk["spectra"]:
            pairs = zip(spectrum["events"]["pulse_ns"], spectrum["events"]["tof"], strict=True)
            found[spectrum["detector_ids"][0]] += [(pulse + EPOCH_1990_NS, tof) for pulse, tof in pairs]
    return found


def recorded_log(name: str, log: str) -> list[tuple[int, Any]]:
    """Return times and values of all chunks; each begins with the last value of the one before, which counts once."""
    found: dict[int, Any] = {}
    for chunk in chunks(name):
        found |= dict(zip((time + EPOCH_1990_NS for time in chunk["logs"][log]["times"]), chunk["logs"][log]["values"], strict=True))
    return sorted(found.items())


@names
@pytest.mark.parametrize("size", [1, 7, 100, 10**6])
def test_a_capture_is_the_same_bytes_again_however_it_was_cut(name: str, size: int) -> None:
    assert b"".join(encode(message) for message in messages(name, size)) == (CAPTURES / f"{name}.s2c.bin").read_bytes()


@names
def test_mantids_hello_is_read(name: str) -> None:
    data = (CAPTURES / f"{name}.c2s.bin").read_bytes()
    (hello,) = Reader(payload_limit=CLIENT_PAYLOAD_LIMIT).receive(data)
    assert isinstance(hello, ClientHello)
    assert (hello.version, hello.start) == (0, START_NOW)
    assert encode(hello)[:12] == data[:12]  # Mantid's nanoseconds are of no use
    assert encode(hello)[16:] == data[16:]


@pytest.mark.parametrize("name", ["adara-basic", "adara-run-transition"])
def test_events_are_those_that_mantid_got(name: str) -> None:
    found: Events = defaultdict(list)
    for message in messages(name):
        if isinstance(message, BankedEvents):
            for tof, pixel in zip(*(column.tolist() for column in message.columns()), strict=True):
                found[pixel].append((message.time_ns, tof / 10))
    assert found == {pixel: events for pixel, events in recorded_events(name).items() if events}


def test_offsets_of_uncorrected_sources_are_added_where_mantid_adds_only_whether_there_is_one() -> None:
    mantid: Events = defaultdict(list)
    right: Events = defaultdict(list)
    shifted = 0
    for message in messages("adara-sources-offsets"):
        if not isinstance(message, BankedEvents):
            continue
        for row, bank in enumerate(message.banks):
            if bank["bank"] >= ERROR_BANK:
                continue
            offset = message.tof_offset_100ns(row)
            for tof, pixel in message.events(row).tolist():
                shifted += offset > 1
                mantid[pixel].append((message.time_ns, (tof + min(offset, 1)) / 10))
                right[pixel].append((message.time_ns, (tof + offset) / 10))
    assert {pixel: mantid[pixel] for pixel in PIXELS} == {pixel: recorded_events("adara-sources-offsets")[pixel] for pixel in PIXELS}
    ours: Events = defaultdict(list)
    for message in messages("adara-sources-offsets"):
        if isinstance(message, BankedEvents):
            for tof, pixel in zip(*(column.tolist() for column in message.columns()), strict=True):
                ours[pixel].append((message.time_ns, tof / 10))
    assert ours == right
    assert shifted > 0


@names
def test_charge_is_the_one_of_the_log(name: str) -> None:
    charges = {message.time_ns: float(message.charge_pc) for message in messages(name) if isinstance(message, BankedEvents)}
    assert sorted(charges.items()) == recorded_log(name, "proton_charge")


@pytest.mark.parametrize("name", ["adara-basic", "adara-run-transition"])
def test_values_of_variables_are_those_of_the_logs(name: str) -> None:
    found = messages(name)
    variables = {
        (descriptor.device, variable.id): variable.name
        for descriptor in found
        if isinstance(descriptor, DeviceDescriptor)
        for variable in read_device(descriptor.xml).variables
    }
    logs: dict[str, dict[int, Any]] = defaultdict(dict)
    for message in found:
        if isinstance(message, VariableValue):
            logs[variables[message.device, message.variable]][message.time_ns] = message.value
    assert logs.keys() == {"BL:Temp", "BL:Count", "BL:Title", "BL:Mode"}
    for log, values in logs.items():
        assert sorted(values.items()) == recorded_log(name, log), log


@names
def test_run_and_instrument_are_those_of_the_workspace(name: str) -> None:
    found = messages(name)
    status = next(message for message in found if isinstance(message, RunStatus))
    first = chunks(name)[0]
    assert str(status.run_number) == first["logs"]["run_number"]["value"]
    assert status.run_start_ns is not None
    start = np.datetime64(status.run_start_ns, "ns").astype("datetime64[s]")
    assert f"{start}Z" == first["logs"]["run_start"]["value"]
    assert {message.long_name for message in found if isinstance(message, BeamlineInfo)} == {"ADTEST"}


def test_a_run_ends_and_the_next_one_begins() -> None:
    states = [(message.state, message.run_number) for message in messages("adara-run-transition") if isinstance(message, RunStatus)]
    assert states == [(RunState.NEW_RUN, 300), (RunState.END_RUN, 300), (RunState.NEW_RUN, 301), (RunState.STATE, 301)]
    assert [chunk["run_number_after"] for chunk in chunks("adara-run-transition")][-1] == 301
