"""The XML documents inside ADARA packets: what devices have, and what is known of a run.

Elements are found by their local names: servers differ in the namespaces they write. A document type declaration is refused, since all
that it could do is make a small document large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from livereduce.errors import WireError

DEVICE_NAMESPACE: Final = "http://public.sns.gov/schema/device.xsd"
"""Namespace of descriptors."""

RUN_NAMESPACE: Final = "http://public.sns.gov/schema/runinfo.xsd"
"""Namespace of run information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A process variable."""

    id: int
    """Its number within the device."""

    name: str
    """What scripts call it by."""

    type: str
    """As written: ``double``, ``integer``, ``unsigned integer``, ``string``, ``enum_01``, ``integer array``, ``double array``."""

    unit: str = ""
    """Unit; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device and its variables."""

    name: str = ""
    """Name."""

    variables: tuple[Variable, ...] = ()
    """Those with name, id and type; others cannot be used."""

    enumerations: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """Names of the enumerations, each with the names and values of its elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """What is known of a run."""

    run_number: int = 0
    """Run number; 0 when there is none."""

    title: str = ""
    """Title the users gave."""

    proposal_id: str = ""
    """Proposal or experiment."""

    instrument: str = ""
    """Short name of the instrument."""

    facility: str = "SNS"
    """SNS or HFIR."""

    users: tuple[str, ...] = ()
    """Names of the users."""


def read_device(xml: str) -> Device:
    """Return the device that a descriptor describes; one without variables when `xml` is empty (the device is gone).

    Raises
    ------
    WireError
        If `xml` is not XML.
    """
    if not xml.strip("\0 \r\n\t"):
        return Device()
    root = _root(xml, "device descriptor")
    variables = []
    for element in _all(root, "process_variable"):
        name, number, kind = (_text(element, tag) for tag in ("pv_name", "pv_id", "pv_type"))
        if name and kind and number.isdecimal():
            variables.append(Variable(id=int(number), name=name, type=kind, unit=_text(element, "pv_units")))
    enumerations = tuple((_text(one, "enum_name"), tuple(_elements(one))) for one in _all(root, "enumeration"))
    return Device(name=_text(root, "device_name"), variables=tuple(variables), enumerations=enumerations)


def write_device(device: Device) -> str:
    """Return the descriptor of `device`."""
    root = ElementTree.Element("device", xmlns=DEVICE_NAMESPACE)
    _add(root, "device_name", device.name)
    if device.enumerations:
        enumerations = ElementTree.SubElement(root, "enumerations")
        for name, elements in device.enumerations:
            enumeration = ElementTree.SubElement(enumerations, "enumeration")
            _add(enumeration, "enum_name", name)
            for label, value in elements:
                element = ElementTree.SubElement(enumeration, "enum_element")
                _add(element, "enum_element_name", label)
                _add(element, "enum_element_value", str(value))
    variables = ElementTree.SubElement(root, "process_variables")
    for variable in device.variables:
        element = ElementTree.SubElement(variables, "process_variable")
        for tag, text in (("pv_name", variable.name), ("pv_id", str(variable.id)), ("pv_type", variable.type), ("pv_units", variable.unit)):
            if text:
                _add(element, tag, text)
    return _document(root)


def read_run(xml: str) -> RunDetails:
    """Return what a RunInfo packet says of the run.

    Raises
    ------
    WireError
        If `xml` is not XML.
    """
    root = _root(xml, "run information")
    number = _text(root, "run_number")
    return RunDetails(
        run_number=int(number) if number.isdecimal() else 0,
        title=_text(root, "run_title"),
        proposal_id=_text(root, "proposal_id"),
        instrument=_text(root, "instrument_name"),
        facility=_text(root, "facility_name"),
        users=tuple(_text(user, "name") for user in _all(root, "user")),
    )


def write_run(run: RunDetails) -> str:
    """Return the document of `run`."""
    root = ElementTree.Element("runinfo", xmlns=RUN_NAMESPACE)
    for tag, text in (("facility_name", run.facility), ("instrument_name", run.instrument), ("run_number", str(run.run_number))):
        _add(root, tag, text)
    users = ElementTree.SubElement(root, "users")
    for i, name in enumerate(run.users):
        user = ElementTree.SubElement(users, "user")
        for tag, text in (("name", name), ("id", f"u{i}"), ("role", "user")):
            _add(user, tag, text)
    _add(root, "proposal_id", run.proposal_id)
    _add(root, "run_title", run.title)
    ElementTree.SubElement(root, "no_sample_info")
    return _document(root)


def _root(xml: str, what: str) -> ElementTree.Element:
    if "<!DOCTYPE" in xml:
        raise WireError(f"{what} has a document type declaration; wanted none", field="xml")
    try:
        return ElementTree.fromstring(xml.strip("\0 \r\n\t").encode())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise WireError(f"{what} is not XML: {error}", field="xml") from error


def _all(root: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    return root.iterfind(f".//{{*}}{tag}")


def _text(root: ElementTree.Element, tag: str) -> str:
    found = root.find(f"{{*}}{tag}")
    return "" if found is None or found.text is None else found.text.strip()


def _elements(enumeration: ElementTree.Element) -> Iterator[tuple[str, int]]:
    for element in _all(enumeration, "enum_element"):
        value = _text(element, "enum_element_value")
        if value.removeprefix("-").isdecimal():
            yield _text(element, "enum_element_name"), int(value)


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _document(root: ElementTree.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")
