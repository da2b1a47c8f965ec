"""Which value is for which property: keywords, positional arguments and the variables that a result is assigned to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereduce.scripting.mantid.declaration import UNSET, Algorithm, InOut, Input, Inputs, Output, Property, Returned
from livereduce.scripting.mantid.errors import CallError, UnknownPropertyError, nearest
from livereduce.scripting.mantid.texts import as_text


@dataclass(frozen=True, slots=True)
class Bound:
    """What a script gave, by property."""

    given: dict[str, Any]
    """Value as given by property name; None and absent ones left out."""

    texts: tuple[tuple[str, str], ...]
    """Property names and values as text, in the order of the properties."""


def bind(algorithm: Algorithm, positional: Sequence[object], keywords: Mapping[str, object], assigned: Sequence[str]) -> Bound:
    """Return which value is for which property.

    Keywords come first, without regard to case; then the variables that the result is assigned to name outputs not named by keyword; then
    positional arguments fill what is left, mandatory properties before the others. So ``ws = Rebin(a, "1,2,9")`` gives Params and
    ``RenameWorkspace("a", "b")`` gives OutputWorkspace. Where they do not suffice for all mandatory ones, outputs are passed over and stay
    without name: ``f(Rebin(a, "1,2,9"))`` gives Params as well, and a number never names one: ``f(Scale(a, 2))`` gives Factor. With more positional
    arguments than properties left, the variables stand back.

    Raises
    ------
    UnknownPropertyError
        If there is no such property; names the nearest.
    CallError
        If there are too many positional arguments, or mandatory properties are missing (all are named), or a property is given twice.
    """
    given = _by_keyword(algorithm, keywords)
    named = _by_assignment(algorithm, given, assigned)
    places = [one for one in in_order(algorithm) if one.name not in given and one.name not in named]
    needed = [one for one in places if algorithm.default(one) is UNSET]
    if not algorithm.on_names and len(positional) < len(needed):
        places = [one for one in places if not isinstance(one, Output)]
    if len(positional) > len(places):
        places, named = [one for one in in_order(algorithm) if one.name not in given], {}
    if len(positional) > len(places):
        raise CallError(
            f"{algorithm.name}: {len(positional)} positional arguments, wanted at most {len(places)}: {', '.join(one.name for one in places)}"
        )
    by_place = _by_place(algorithm, places, positional)
    given = {key: value for key, value in {**named, **given, **by_place}.items() if value is not None}
    _check_mandatory(algorithm, given)
    texts = tuple((one.name, as_text(given[one.name])) for one in algorithm.properties if one.name in given)
    return Bound(given=given, texts=texts)


def _by_place(algorithm: Algorithm, places: Sequence[Property], positional: Sequence[object]) -> dict[str, object]:
    """Return the positional arguments by property; what cannot be a workspace's name goes to the next property that is no output."""
    filled: dict[str, object] = {}
    rest = iter(places)
    for value in positional:
        one = next((place for place in rest if not isinstance(place, Output) or value is None or _is_name(value)), None)
        if one is None:
            wanted = ", ".join(place.name for place in places if not isinstance(place, Output))
            raise CallError(f"{algorithm.name}: {len(positional)} positional arguments, wanted at most those for {wanted}")
        filled[one.name] = value
    return filled


def _is_name(given: object) -> bool:
    """Whether an output can be named by what was given: text, or a workspace, which stands for its name."""
    return isinstance(given, str) or hasattr(given, "name")


def in_order(algorithm: Algorithm) -> list[Property]:
    """Return the properties in the order of positional arguments: mandatory ones first, otherwise as declared."""
    open_ones = [one for one in algorithm.properties if not isinstance(one, Returned)]
    return sorted(open_ones, key=lambda one: algorithm.default(one) is not UNSET)


def _by_keyword(algorithm: Algorithm, keywords: Mapping[str, object]) -> dict[str, object]:
    given: dict[str, object] = {}
    for key, value in keywords.items():
        one = algorithm.by_lower_name.get(key.lower())
        if one is None or isinstance(one, Returned):
            known = [each.name for each in in_order(algorithm)]
            raise UnknownPropertyError(f"{algorithm.name}: no property {key!r}{nearest(key, known) or f'; wanted one of {chr(44).join(known)}'}")
        if given.get(one.name) is not None:
            raise CallError(f"{algorithm.name}: {one.name} is given twice")
        if isinstance(one, Output) and value is not None and not _is_name(value):
            raise CallError(f"{algorithm.name}: {one.name} = {value!r}: got a {type(value).__name__}, wanted the name of a workspace")
        given[one.name] = value
    return given


def _by_assignment(algorithm: Algorithm, given: Mapping[str, object], assigned: Sequence[str]) -> dict[str, object]:
    """Return the variables' names for workspaces that no keyword names."""
    pairs = zip(algorithm.outputs, assigned, strict=False)
    return {one.name: name for one, name in pairs if isinstance(one, Output) and name and given.get(one.name) is None}


def _check_mandatory(algorithm: Algorithm, given: Mapping[str, object]) -> None:
    """Raise `CallError` for mandatory properties that were not given; an output without name gets a hidden one."""
    needs = [one for one in algorithm.properties if algorithm.default(one) is UNSET and (algorithm.on_names or not isinstance(one, Output))]
    missing = [one for one in needs if given.get(one.name) is None or _is_empty_name(one, given[one.name])]
    if missing:
        wants = ", ".join(f"{one.name} ({one.kind})" for one in missing)
        raise CallError(f"{algorithm.name}: Some invalid Properties found: wanted {wants}, got none")


def _is_empty_name(one: Property, given: object) -> bool:
    return isinstance(one, Input | InOut | Inputs | Output) and isinstance(given, str) and not given
