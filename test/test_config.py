"""The configuration file: every key, every error."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livereduce.config import (
    Config,
    ListenerConfig,
    Watchdog,
    bundled_instruments,
    instrument_listener,
    instruments_folder,
    parse,
    read_config,
)
from livereduce.errors import ConfigError

EXAMPLE = Path(__file__).resolve().parents[1] / "etc" / "livereduce.conf"


def config(**keys: Any) -> Config:
    return parse(json.dumps({"instrument": "ARCS", **keys}), "conf")


def said(text: str) -> str:
    """The error that `text` makes, without the place."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "conf")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("conf:")
    return message.removeprefix("conf:").lstrip()


def test_only_the_instrument_has_to_be_given() -> None:
    assert config() == Config(
        instrument="ARCS",
        script_dir="/SNS/{instrument}/shared/livereduce",
        update_every=30,
        preserve_events=True,
        accum_method="Add",
        periods=None,
        spectra=None,
        system_mem_limit_perc=70,
        mem_check_interval_sec=1,
        watchdog=Watchdog(interval=60, threshold=300),
        CONDA_ENV=None,
        PIXI_ENV=None,
        listener=ListenerConfig(type=None, address=None, options={}),
        instruments_dir=None,
        state_dir=None,
        journal_max_gb=10,
        log_file=None,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("script_dir", "scripts"),
        ("update_every", 0.5),
        ("preserve_events", False),
        ("accum_method", "Replace"),
        ("accum_method", "Append"),
        ("periods", [3, 1]),
        ("spectra", [2, 2, 1]),
        ("system_mem_limit_perc", 0),
        ("system_mem_limit_perc", 100),
        ("mem_check_interval_sec", 0.1),
        ("CONDA_ENV", "mantid"),
        ("PIXI_ENV", "live"),
        ("instruments_dir", "/i"),
        ("state_dir", "/s"),
        ("journal_max_gb", 0.5),
        ("log_file", "/l"),
    ],
)
def test_a_key_sets_its_value(key: str, value: object) -> None:
    assert getattr(config(**{key: value}), key) == value


def test_watchdog_and_listener_take_their_own_keys() -> None:
    found = config(watchdog={"interval": 5, "threshold": 20}, listener={"type": "isis_histogram", "address": "h:1", "options": {"a": [1]}})
    assert found.watchdog == Watchdog(interval=5, threshold=20)
    assert found.listener == ListenerConfig(type="isis_histogram", address="h:1", options={"a": [1]})


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("script_dir", 1, "got 1, wanted text"),
        ("script_dir", None, "got null, wanted text"),
        ("update_every", "30", 'got "30", wanted a number'),
        ("update_every", 0, "got 0, wanted a number > 0.0"),
        ("update_every", -1.5, "got -1.5, wanted a number > 0.0"),
        ("update_every", True, "got true, wanted a number"),
        ("update_every", 2e9, "got 2000000000.0, wanted a number <= 1000000000.0"),
        ("preserve_events", 1, "got 1, wanted true or false"),
        ("accum_method", "add", 'got "add", wanted one of "Add", "Replace", "Append"'),
        ("periods", 1, "got 1, wanted a list or null"),
        ("periods", [1, 0], "1: got 0, wanted a whole number >= 1"),
        ("periods", [1.5], "0: got 1.5, wanted a whole number"),
        ("spectra", ["1"], '0: got "1", wanted a whole number'),
        ("spectra", [2**31], "0: got 2147483648, wanted a whole number <= 2147483647"),
        ("system_mem_limit_perc", 101, "got 101, wanted a number <= 100.0"),
        ("system_mem_limit_perc", -1, "got -1, wanted a number >= 0.0"),
        ("mem_check_interval_sec", 0, "got 0, wanted a number > 0.0"),
        ("watchdog", 60, "got 60, wanted an object"),
        ("listener", [], "got [], wanted an object"),
        ("journal_max_gb", 0, "got 0, wanted a number > 0.0"),
        ("log_file", 3, "got 3, wanted text or null"),
        ("CONDA_ENV", False, "got false, wanted text or null"),
    ],
)
def test_a_wrong_value_names_key_value_and_what_is_wanted(key: str, value: object, wanted: str) -> None:
    assert said(json.dumps({"instrument": "ARCS", key: value})) in (f"{key}: {wanted}", f"{key}.{wanted}")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"watchdog": {"threshold": 19}}, "watchdog.threshold: got 19, wanted a number >= 20.0"),
        ({"watchdog": {"interval": "x"}}, 'watchdog.interval: got "x", wanted a number'),
        ({"listener": {"address": 5}}, "listener.address: got 5, wanted text or null"),
        ({"listener": {"options": []}}, "listener.options: got [], wanted an object"),
        ({"update_evry": 1}, "update_evry: unknown key; did you mean update_every?"),
        ({"conda_env": "x"}, "conda_env: unknown key; did you mean CONDA_ENV?"),
        ({"watchdog": {"treshold": 1}}, "watchdog.treshold: unknown key; did you mean watchdog.threshold?"),
        ({"listener": {"adress": 1}}, "listener.adress: unknown key; did you mean listener.address?"),
    ],
)
def test_a_wrong_key_or_an_inner_value_is_named_with_its_path(keys: dict[str, Any], message: str) -> None:
    assert said(json.dumps({"instrument": "ARCS", **keys})) == message


@pytest.mark.parametrize("key", ["", "zzzzzzzz", "ä"])
def test_even_a_key_that_resembles_nothing_gets_a_suggestion(key: str) -> None:
    assert f"{key}: unknown key; there is none like it, the nearest is " in said(json.dumps({"instrument": "ARCS", key: 1}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "instrument: is missing; wanted a value for it"),
        ("", "1:1: is not JSON: Expecting value; wanted an object of keys and values"),
        ('{"instrument": "A",}', "1:20: is not JSON: Illegal trailing comma before end of object; wanted an object of keys and values"),
        ("[1]", "got a JSON list, wanted an object of keys and values"),
        ('"x"', "got a JSON text, wanted an object of keys and values"),
        ("3", "got a JSON number, wanted an object of keys and values"),
        ("null", "got a JSON null, wanted an object of keys and values"),
        ("true", "got a JSON boolean, wanted an object of keys and values"),
        ('{"instrument": "A", "instrument": "B"}', "instrument: given twice, 'A' and 'B'; wanted once"),
        ('{"instrument": "A", "update_every": NaN}', "got NaN, which JSON does not have; wanted a number"),
        ('{"instrument": "A", "update_every": -Infinity}', "got -Infinity, which JSON does not have; wanted a number"),
        ('{"instrument": "A", "update_every": 1e999}', "update_every: got Infinity, wanted a number <= 1000000000.0"),
        ('{"instrument": 5}', "instrument: got 5, wanted text"),
    ],
)
def test_text_that_is_no_configuration_says_why(text: str, message: str) -> None:
    got = said(text)
    if "Illegal trailing comma" in message and "Illegal" not in got:  # Python before 3.13 words it otherwise
        assert got.endswith("wanted an object of keys and values")
        return
    assert got == message


def test_text_that_is_nested_too_deeply_says_so() -> None:
    assert said('{"instrument": ' + "[" * 200_000) == "is nested too deeply; wanted an object of keys and values"


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a b", "x" * 65, "naïve", "-x", "a\n"])
def test_an_instrument_that_cannot_be_part_of_a_file_name_is_refused(name: str) -> None:
    wanted = "wanted a short name of letters, digits, _ and - (it becomes part of file names)"
    assert said(json.dumps({"instrument": name})) == f"instrument: got {name!r}, {wanted}"


def test_a_file_is_read_and_returned(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text('{"instrument": "ARCS"}')
    assert read_config(path) == (Config(instrument="ARCS"), path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file or directory; wanted a JSON file"), (b"{\xff", "is not UTF-8 text (byte 1); wanted a JSON file")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "conf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value) == f"{path}: {message}"


# --- what follows from the keys


def test_the_scripts_are_named_after_the_instrument() -> None:
    process, post = config().scripts
    assert str(process) == "/SNS/ARCS/shared/livereduce/reduce_ARCS_live_proc.py"
    assert str(post) == "/SNS/ARCS/shared/livereduce/reduce_ARCS_live_post_proc.py"


def test_a_relative_script_dir_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config(script_dir="here").scripts[0] == tmp_path / "here" / "reduce_ARCS_live_proc.py"


def test_state_lies_where_it_is_told_or_where_systemd_says_or_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/livereduce:/other")
    assert config(state_dir=str(tmp_path)).state == tmp_path / "ARCS"
    assert config().state == Path("/var/lib/livereduce/ARCS")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert config().state == Path("/x/livereduce/ARCS")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert config().state == Path("/home/me/.local/state/livereduce/ARCS")


def test_the_log_lies_where_operators_look_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "snsdata")
    assert getpass.getuser() == "snsdata"
    assert config().log == Path("/var/log/SNS_applications/livereduce.log")
    monkeypatch.setenv("LOGNAME", "somebody")
    assert config().log == tmp_path / "livereduce.log"
    assert config(log_file="x.log").log == tmp_path / "x.log"


def instrument_file(folder: Path, text: str) -> None:
    (folder / "ARCS").mkdir()
    (folder / "ARCS" / "instrument.json").write_text(text)


def test_the_source_is_the_instruments_own_unless_the_configuration_has_another(tmp_path: Path) -> None:
    instrument_file(tmp_path, '{"listener": {"type": "one", "address": "h:1", "options": {"a": 1, "b": 1}}, "description": "d"}')
    where = {"instruments_dir": str(tmp_path)}
    assert instrument_listener(config(**where)) == ListenerConfig(type="one", address="h:1", options={"a": 1, "b": 1})
    own = config(**where, listener={"address": "h:2", "options": {"b": 2}})
    assert instrument_listener(own) == ListenerConfig(type="one", address="h:2", options={"a": 1, "b": 2})
    other = config(**where, listener={"type": "two"})
    assert instrument_listener(other) == ListenerConfig(type="two", address=None, options={})


def test_an_instrument_that_nobody_knows_needs_a_listener(tmp_path: Path) -> None:
    instrument_file(tmp_path, '{"listener": {"type": "one"}}')
    with pytest.raises(ConfigError) as caught:
        instrument_listener(parse(json.dumps({"instrument": "XYZ", "instruments_dir": str(tmp_path)}), "conf"))
    assert str(caught.value) == (
        f"listener.type: nothing says what the source of XYZ is: {tmp_path}/XYZ/instrument.json does not exist (known instruments: ARCS); "
        "wanted that file or 'listener': {'type': ..., 'address': 'host:port'} in the configuration"
    )


def test_a_wrong_instrument_file_is_named(tmp_path: Path) -> None:
    instrument_file(tmp_path, '{"listner": {}}')
    with pytest.raises(ConfigError) as caught:
        instrument_listener(config(instruments_dir=str(tmp_path)))
    assert str(caught.value) == f"{tmp_path}/ARCS/instrument.json: listner: unknown key; did you mean listener?"


def test_instruments_come_with_livereduce_unless_a_folder_is_given() -> None:
    assert instruments_folder(config()) == bundled_instruments()
    assert instruments_folder(config(instruments_dir="/x")) == Path("/x")


# --- the example


def test_the_example_has_every_key_with_its_default() -> None:
    written = json.loads(EXAMPLE.read_text())
    assert list(written) == [field.name for field in msgspec.structs.fields(Config)]
    defaults = msgspec.to_builtins(Config(instrument=written["instrument"]))
    assert written == defaults


def test_the_example_can_be_loaded() -> None:
    found, _ = read_config(EXAMPLE)
    assert found == Config(instrument=found.instrument)
