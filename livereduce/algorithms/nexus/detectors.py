"""The group ``instrument``: which detectors each spectrum counts, and where they are."""

from __future__ import annotations

import h5py
import numpy as np

from livereduce.algorithms.nexus.field import LayoutError, get, get_text, put, put_text
from livereduce.data.instrument import Instrument
from livereduce.data.workspace import Spectra

NAMELESS = " "
"""What Mantid's files say where there is no text."""


def write_detectors(entry: h5py.Group, spectra: Spectra, instrument: Instrument | None) -> None:
    """Write the group ``instrument`` of an entry."""
    group = entry.create_group("instrument")
    group.attrs.update({"NX_class": "NXinstrument", "version": np.int32(1)})
    put_text(group, "name", instrument.name if instrument is not None and instrument.name else NAMELESS)
    _write_spectra(group, spectra)
    _write_notes(group, instrument)
    if instrument is not None:
        _write_places(group, instrument)


def read_spectra(entry: h5py.Group, n_spectra: int) -> Spectra:
    """Return the spectra of an entry; counted from 1 where the entry does not tell them.

    Raises
    ------
    LayoutError
        If the tables do not fit each other.
    """
    group = entry.get("instrument/detector")
    if not isinstance(group, h5py.Group):
        return Spectra.counted(n_spectra)
    first = get(group, "detector_index", np.int64, (n_spectra,))
    many = get(group, "detector_count", np.int64, (n_spectra,))
    ids = get(group, "detector_list", np.int32, (None,))
    numbers = get(group, "spectra", np.int32, (n_spectra,)) if "spectra" in group else np.arange(1, n_spectra + 1, dtype=np.int32)
    if np.any((first < 0) | (many < 0) | (first + many > len(ids))):
        raise LayoutError(f"{group.name}/detector_index and detector_count point outside of {len(ids)} detectors")
    return Spectra.from_lists(numbers, [ids[start : start + n] for start, n in zip(first.tolist(), many.tolist(), strict=True)])


def read_instrument(entry: h5py.Group) -> Instrument | None:
    """Return the instrument of an entry; None where the entry has no places of detectors in Cartesian coordinates.

    Raises
    ------
    LayoutError
        If the tables do not fit each other.
    """
    group = entry.get("instrument/places")
    if not isinstance(group, h5py.Group):
        return None
    ids = get(group, "detector_number", np.int32, (None,))
    return Instrument(
        name=get_text(entry["instrument"], "name").removesuffix(NAMELESS),
        source=get(group, "source", np.float64, (3,)),
        sample=get(group, "sample", np.float64, (3,)),
        detector_ids=ids,
        positions=get(group, "position", np.float64, (len(ids), 3)),
        monitor=get(group, "monitor", bool, (len(ids),)),
        masked=get(group, "masked", bool, (len(ids),)),
    )


def _write_spectra(group: h5py.Group, spectra: Spectra) -> None:
    detector = group.create_group("detector")
    detector.attrs.update({"NX_class": "NXdetector", "version": np.int32(1)})
    put(detector, "detector_index", spectra.detector_offsets[:-1].astype(np.int32))
    put(detector, "detector_count", np.diff(spectra.detector_offsets).astype(np.int32))
    put(detector, "detector_list", spectra.detector_ids.astype(np.int32))
    put(detector, "spectra", spectra.numbers.astype(np.int32))


def _write_notes(group: h5py.Group, instrument: Instrument | None) -> None:
    xml = group.create_group("instrument_xml")
    xml.attrs["NX_class"] = "NXnote"
    put_text(xml, "data", NAMELESS)
    put_text(xml, "type", "text/xml")
    put_text(xml, "description", "Instrument definition; empty")
    masked = [] if instrument is None else instrument.detector_ids[instrument.masked].tolist()
    parameters = group.create_group("instrument_parameter_map")
    parameters.attrs.update({"NX_class": "NXnote", "version": np.int32(1)})
    put_text(parameters, "data", "".join(f"detID:{one};bool;masked;1|" for one in masked) or NAMELESS)
    put_text(parameters, "type", "text/plain")
    put_text(parameters, "description", "Masked detectors, as detID:number;bool;masked;1|")


def _write_places(group: h5py.Group, instrument: Instrument) -> None:
    places = group.create_group("places")
    places.attrs["NX_class"] = "NXcollection"
    put(places, "detector_number", instrument.detector_ids)
    put(places, "position", instrument.positions, units="m", description="x, y up, z along the beam")
    put(places, "monitor", instrument.monitor.astype(np.uint8))
    put(places, "masked", instrument.masked.astype(np.uint8))
    put(places, "source", instrument.source, units="m")
    put(places, "sample", instrument.sample, units="m")
