from __future__ import annotations

from livereduce.data.units import UNITS, unit


def test_a_unit_is_labelled_by_caption_and_symbol() -> None:
    assert unit("TOF").label == "Time-of-flight (microsecond)"
    assert unit("Empty").label == ""


def test_an_unknown_unit_is_its_own_caption() -> None:
    assert unit("Furlong").caption == "Furlong"


def test_units_stand_under_their_own_id() -> None:
    assert all(one.id == name for name, one in UNITS.items())
