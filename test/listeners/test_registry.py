"""Kinds of listeners by name."""

from __future__ import annotations

import pickle
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from livereduce.errors import ConfigError
from livereduce.listeners import registry
from livereduce.listeners.isis_histogram import IsisHistogramListener
from livereduce.listeners.registry import known_types, listener_settings, make_listener
from livereduce.listeners.source import Listener, ListenerSettings, split_address


@pytest.mark.parametrize("name", ["ISIS_Histogram", "isis_histogram", "ISISHistoDataListener"])
def test_the_histogram_listener_goes_by_several_names_and_has_an_address(name: str) -> None:
    settings = listener_settings(name)
    assert (settings.type, settings.address) == ("ISIS_Histogram", "127.0.0.1:56789")
    assert isinstance(make_listener(settings), IsisHistogramListener)


def test_settings_take_lists_and_go_to_another_process() -> None:
    settings = listener_settings("ISIS_Histogram", "NDXGEM:6789", periods=[2], spectra=[5, 3], poll_s=2, options={"reply_timeout_s": 1.0})
    assert (settings.periods, settings.spectra, settings.poll_s) == ((2,), (5, 3), 2)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_an_unknown_kind_is_told_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match=r"listener.type: got 'ISIS_Histgram'.*did you mean 'ISIS_Histogram'\?"):
        listener_settings("ISIS_Histgram")
    with pytest.raises(ConfigError, match="known: ISIS_Event, ISIS_Histogram"):
        make_listener(ListenerSettings(type="zzz"))


def test_an_installed_package_adds_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        EntryPoint(name="Mine", value="livereduce.listeners.isis_histogram:IsisHistogramListener", group=registry.GROUP),
        EntryPoint(name="Gone", value="livereduce.no_such_module:Thing", group=registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group, name=None: [e for e in entries if e.group == group and name in (None, e.name)])
    assert "Mine" in known_types()
    assert isinstance(make_listener(listener_settings("Mine", "127.0.0.1:1")), Listener)
    with pytest.raises(ConfigError, match=r"'Gone' is livereduce.no_such_module:Thing, which cannot be imported"):
        make_listener(listener_settings("Gone"))


@pytest.mark.parametrize("address", ["localhost", "localhost:", ":1", "localhost:0", "localhost:65536", "localhost:http", "localhost:²"])
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(ConfigError, match=r"listener.address: got .*wanted host:port"):
        listener_settings("ISIS_Histogram", address)


def test_an_address_may_be_ipv6() -> None:
    assert split_address("[::1]:6789") == ("::1", 6789)


@pytest.mark.parametrize("wrong", [{"periods": [0]}, {"spectra": [-1]}, {"spectra": []}, {"poll_s": 0}, {"poll_s": float("nan")}])
def test_settings_out_of_bounds_are_told(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="wanted"):
        listener_settings("ISIS_Histogram", **wrong)  # type: ignore[arg-type]


def test_what_lacks_a_method_is_no_listener() -> None:
    assert not isinstance(SimpleNamespace(connect=None, read=None), Listener)
