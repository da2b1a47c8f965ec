"""The documents inside ADARA packets: written ones are read again, and those of others are read as far as they go."""

from __future__ import annotations

import pytest

from livereduce.errors import WireError
from livereduce.wire.adara_documents import Device, RunDetails, Variable, read_device, read_run, write_device, write_run

DEVICE = Device(
    name="Sample environment",
    variables=(Variable(id=1, name="BL:Temp", type="double", unit="K"), Variable(id=2, name="<&>", type="enum_01")),
    enumerations=(("enum_01", (("off", 0), ("on", 1))),),
)
RUN = RunDetails(run_number=7, title="Vanadium <1 & 2>", proposal_id="IPTS-1", instrument="SNAP", users=("Å. User", "B. User"))


def test_a_device_is_read_as_it_was_written() -> None:
    assert read_device(write_device(DEVICE)) == DEVICE


def test_a_run_is_read_as_it_was_written() -> None:
    assert read_run(write_run(RUN)) == RUN


@pytest.mark.parametrize("xml", ["", "\0\0", " \n"])
def test_an_empty_descriptor_is_a_device_that_is_gone(xml: str) -> None:
    assert read_device(xml) == Device()


def test_variables_without_name_number_or_type_are_passed_over() -> None:
    good = "<process_variable><pv_name>a</pv_name><pv_id>3</pv_id><pv_type>double</pv_type></process_variable>"
    bad = [good.replace(">a<", "><"), good.replace("3", "x"), good.replace("double", " "), "<process_variable/>"]
    xml = f"<device><process_variables>{''.join(bad)}{good}</process_variables></device>"
    assert read_device(xml).variables == (Variable(id=3, name="a", type="double"),)


def test_elements_are_found_in_any_namespace() -> None:
    assert read_run("<runinfo><run_title>t</run_title><run_number>x</run_number></runinfo>").title == "t"
    assert read_run('<r:runinfo xmlns:r="urn:x"><r:run_title>t</r:run_title></r:runinfo>').title == "t"


def test_a_value_of_an_enumeration_that_is_no_number_is_passed_over() -> None:
    element = "<enum_element><enum_element_name>a</enum_element_name><enum_element_value>{}</enum_element_value></enum_element>"
    xml = f"<device><enumeration><enum_name>e</enum_name>{element.format('x')}{element.format(-4)}</enumeration></device>"
    assert read_device(xml).enumerations == (("e", (("a", -4),)),)


@pytest.mark.parametrize("xml", ["<device", "no xml", "<a></b>", '<?xml version="1.0" encoding="nonsense"?><a/>'])
def test_what_is_not_xml_is_refused(xml: str) -> None:
    with pytest.raises(WireError, match="is not XML"):
        read_device(xml)
    with pytest.raises(WireError, match="is not XML"):
        read_run(xml)


def test_entities_that_grow_are_refused() -> None:
    with pytest.raises(WireError, match="document type declaration; wanted none"):
        read_run('<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>')
