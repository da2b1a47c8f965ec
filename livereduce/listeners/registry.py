"""Kinds of listeners by name: the built-in ones, and those that installed packages add.

A package adds one with the entry point group ``livereduce.listeners``: the entry's name is the ``type`` of the configuration, its value a
callable that takes `ListenerSettings` and returns a `Listener`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, cast

from livereduce.errors import ConfigError
from livereduce.listeners.source import Listener, ListenerSettings

GROUP: Final = "livereduce.listeners"
"""Entry point group of listeners that other packages bring."""

Maker = Callable[[ListenerSettings], Listener]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """A kind of listener that comes with livereduce."""

    target: str
    """``module:callable``; imported when it is needed."""

    default_address: str
    """host:port where the configuration names none."""

    aliases: tuple[str, ...] = ()
    """Other names that select it."""


BUILTIN: Final[dict[str, Builtin]] = {
    "ISIS_Histogram": Builtin(
        target="livereduce.listeners.isis_histogram:IsisHistogramListener",
        default_address="127.0.0.1:56789",
        aliases=("isis_histogram", "ISISHistoDataListener"),
    ),
    "ISIS_Event": Builtin(
        target="livereduce.listeners.isis_event:IsisEventListener",
        default_address="127.0.0.1:59876",
        aliases=("isis_event", "ISISLiveEventDataListener"),
    ),
}
"""Kinds that come with livereduce, by the name that logs show."""


def listener_settings(
    type: str,
    address: str | None = None,
    *,
    periods: Sequence[int] | None = None,
    spectra: Sequence[int] | None = None,
    poll_s: float = 30.0,
    options: Mapping[str, object] | None = None,
) -> ListenerSettings:
    """Return the settings of a listener with its own name and, where none is given, its default address.

    Raises
    ------
    ConfigError
        If there is no such kind of listener, or a value is out of bounds.
    """
    name = resolve(type)
    return ListenerSettings(
        type=name,
        address=address or (BUILTIN[name].default_address if name in BUILTIN else ""),
        periods=None if periods is None else tuple(periods),
        spectra=None if spectra is None else tuple(spectra),
        poll_s=poll_s,
        options=dict(options or {}),
    )


def make_listener(settings: ListenerSettings) -> Listener:
    """Return the listener that `settings` ask for; it is not connected yet.

    Raises
    ------
    ConfigError
        If there is no such kind of listener, or it cannot be imported, or it does not take the settings.
    """
    name = resolve(settings.type)
    return _maker(name)(settings)


def resolve(type: str) -> str:
    """Return the name under which the kind `type`, possibly an alias, is known.

    Raises
    ------
    ConfigError
        If there is none; names the nearest there is.
    """
    for name, builtin in BUILTIN.items():
        if type == name or type in builtin.aliases:
            return name
    known = known_types()
    if type in known:
        return type
    near = difflib.get_close_matches(type, [*known, *(alias for builtin in BUILTIN.values() for alias in builtin.aliases)], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise ConfigError(f"listener.type: got {type!r}, wanted a known kind of source; {hint}")


def known_types() -> list[str]:
    """Return the names of all kinds of listeners, sorted."""
    return sorted({*BUILTIN, *(entry.name for entry in entry_points(group=GROUP))})


def _maker(name: str) -> Maker:
    if name in BUILTIN:
        module, _, attribute = BUILTIN[name].target.partition(":")
        return cast(Maker, getattr(importlib.import_module(module), attribute))
    (entry, *_) = entry_points(group=GROUP, name=name)
    try:
        return cast(Maker, entry.load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"listener.type: {name!r} is {entry.value}, which cannot be imported: {error}") from error
