"""The configuration file: read once, checked once, then frozen.

JSON; the keys of the service before this one keep their meaning. An unknown key is an error that names the nearest known one; a wrong
type or bound names key, value and what is wanted.
"""

from __future__ import annotations

import difflib
import getpass
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from livereduce.errors import ConfigError

SYSTEM_CONF = Path("/etc/livereduce.conf")
"""Read when no file is named."""

SERVICE_USER = "snsdata"
"""The user whose log goes where operators of the SNS look for it."""

SERVICE_LOG = Path("/var/log/SNS_applications/livereduce.log")
"""That place."""

CLOSE = 0.6
"""Likeness (0 to 1) above which a key is taken for a slip of the pen."""

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
"""Seconds or GB; the bound (30 years) refuses 1e999, which JSON readers take for infinity."""

Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""Periods and spectrum numbers are 32 bits wide wherever they come from."""


class Watchdog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a child process counts as hung."""

    interval: Positive = 60
    """Accepted, so that older files load: the heartbeats are looked at ten times a second whatever it says."""

    threshold: Annotated[float, msgspec.Meta(ge=20, le=1e9)] = 300
    """s without a heartbeat after which a child is replaced; a script that takes longer than this for one chunk is cut off."""


class ListenerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The source of data; overrides the instrument's own."""

    type: str | None = None
    """Kind of source; null for the instrument's."""

    address: str | None = None
    """host:port; null for the instrument's, or that of the kind of source."""

    options: dict[str, Any] = msgspec.field(default_factory=dict)
    """Further settings that the kind of source knows."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    instrument: str
    """Short name; selects `instruments/<name>/` and the names of the scripts. Letters, digits, _ and -."""

    script_dir: str = "/SNS/{instrument}/shared/livereduce"
    """Folder of the scripts; {instrument} is replaced; relative to the working directory."""

    update_every: Positive = 30
    """s between post-processing runs; poll interval of histogram sources."""

    chunk_every: Positive = 1
    """s between chunks of a source of events, at least. Histogram sources give a chunk for each reading."""

    preserve_events: bool = True
    """Keep events, or histogram each chunk's output with the bins it has. Histogram sources have no events."""

    accum_method: Literal["Add", "Replace", "Append"] = "Add"
    """How chunks are combined."""

    periods: list[Number] | None = None
    """1-based periods to read; null for all."""

    spectra: list[Number] | None = None
    """Spectrum numbers to read, in this order; null for all."""

    system_mem_limit_perc: Annotated[float, msgspec.Meta(ge=0, le=100)] = 70
    """% of the machine's memory (of the control group's limit, if lower) that the reducer may take; 0 for no limit."""

    mem_check_interval_sec: Positive = 1
    """s between looks at the memory."""

    watchdog: Watchdog = msgspec.field(default_factory=Watchdog)
    """When a child process counts as hung."""

    CONDA_ENV: str | None = None
    """Accepted and logged, so that older files load: environments are systemd's business."""

    PIXI_ENV: str | None = None
    """As CONDA_ENV."""

    listener: ListenerConfig = msgspec.field(default_factory=ListenerConfig)
    """The source of data, where it is not the instrument's own."""

    instruments_dir: str | None = None
    """Folder of instrument folders; null for the one that comes with livereduce."""

    state_dir: str | None = None
    """Folder of journal and board; null for $STATE_DIRECTORY (set by systemd), else ~/.local/state/livereduce."""

    journal_max_gb: Positive = 10
    """GB (1e9 bytes) the journal may take on disk."""

    log_file: str | None = None
    """null for $LOGS_DIRECTORY/livereduce.log (set by systemd), /var/log/SNS_applications/livereduce.log (user snsdata), ./livereduce.log."""

    @property
    def scripts(self) -> tuple[Path, Path]:
        """Absolute paths of the processing and the post-processing script."""
        folder = Path(self.script_dir.replace("{instrument}", self.instrument)).expanduser().absolute()
        return folder / f"reduce_{self.instrument}_live_proc.py", folder / f"reduce_{self.instrument}_live_post_proc.py"

    @property
    def state(self) -> Path:
        """Absolute folder of this instrument's journal and board."""
        return _state_root(self.state_dir) / self.instrument

    @property
    def log(self) -> Path:
        """Absolute path of the log file."""
        if self.log_file is not None:
            return Path(self.log_file).expanduser().absolute()
        if given := os.environ.get("LOGS_DIRECTORY", "").split(":")[0]:
            return Path(given) / "livereduce.log"
        return SERVICE_LOG if _user() == SERVICE_USER else Path("livereduce.log").absolute()


class InstrumentFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instruments/<name>/instrument.json`."""

    listener: ListenerConfig = msgspec.field(default_factory=ListenerConfig)
    """Its source of data."""

    description: str = ""
    """What it is, in words."""


def read_config(path: Path | None) -> tuple[Config, Path]:
    """Return the configuration and the file it came from.

    Parameters
    ----------
    path:
        The file; None for /etc/livereduce.conf.

    Raises
    ------
    ConfigError
        One line: file, key, what came, what is wanted.
    """
    if path is None:
        if not SYSTEM_CONF.exists():
            raise ConfigError(f"no configuration file: none was named and {SYSTEM_CONF} does not exist; wanted at least {{'instrument': NAME}}")
        path = SYSTEM_CONF
    return parse(_text(path), str(path)), path


def parse(text: str, where: str) -> Config:
    """Return the configuration that `text` (JSON) holds; `where` names it in errors."""
    config: Config = _convert(_json(text, where), Config, where)
    if "\\u0000" in text:
        raise ConfigError(f"{where}: got a NUL (\\u0000) in a text; wanted none, no file and no host has one in its name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", config.instrument):
        raise ConfigError(
            f"{where}: instrument: got {config.instrument!r}, wanted a short name of letters, digits, _ and - (it becomes part of file names)"
        )
    return config


def instrument_listener(config: Config) -> ListenerConfig:
    """Return the source of `config`: its own, filled up from the instrument's file.

    Raises
    ------
    ConfigError
        If neither the configuration nor an instrument file says what the source is.
    """
    own = config.listener
    folder = instruments_folder(config)
    path = folder / config.instrument / "instrument.json"
    base: ListenerConfig = _convert(_json(_text(path), str(path)), InstrumentFile, str(path)).listener if path.is_file() else ListenerConfig()
    kind = own.type or base.type
    if kind is None:
        known = sorted(entry.parent.name for entry in folder.glob("*/instrument.json"))
        raise ConfigError(
            f"listener.type: nothing says what the source of {config.instrument} is: {path} does not exist (known instruments: "
            f"{', '.join(known) or 'none'}); wanted that file or 'listener': {{'type': ..., 'address': 'host:port'}} in the configuration"
        )
    same_kind = own.type in (None, base.type)
    return ListenerConfig(
        type=kind,
        address=own.address or (base.address if same_kind else None),
        options={**(base.options if same_kind else {}), **own.options},
    )


def instruments_folder(config: Config) -> Path:
    """Return the folder of instrument folders: the configured one, else the one that comes with livereduce."""
    if config.instruments_dir is not None:
        return Path(config.instruments_dir).expanduser().absolute()
    return bundled_instruments()


def bundled_instruments() -> Path:
    """Return the folder of the instruments that come with livereduce, from a checkout or an installation."""
    checkout = Path(__file__).resolve().parent.parent / "instruments"
    return checkout if checkout.is_dir() else Path(sys.prefix) / "share" / "livereduce" / "instruments"


def _state_root(configured: str | None) -> Path:
    if configured is not None:
        return Path(configured).expanduser().absolute()
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "livereduce"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; wanted a JSON file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}); wanted a JSON file") from error


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        raw = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, where), parse_constant=lambda name: _no_constant(name, where))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}:{error.lineno}:{error.colno}: is not JSON: {error.msg}; wanted an object of keys and values") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: is nested too deeply; wanted an object of keys and values") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: got a JSON {_kind(raw)}, wanted an object of keys and values")
    return raw


def _no_constant(name: str, where: str) -> float:
    raise ConfigError(f"{where}: got {name}, which JSON does not have; wanted a number")


def _once(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigError(f"{where}: {key}: given twice, {found[key]!r} and {value!r}; wanted once")
        found[key] = value
    return found


def _convert(raw: dict[str, Any], wanted: type[Any], where: str) -> Any:
    _check_keys(raw, wanted, where, "")
    try:
        return msgspec.convert(raw, wanted, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_explained(str(error), raw)}") from error


def _check_keys(raw: Mapping[str, Any], struct: type[Any], where: str, prefix: str) -> None:
    known = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key not in known:
            near = difflib.get_close_matches(key.lower(), [name.lower() for name in known], n=1, cutoff=0.0)
            nearest = next(name for name in known if name.lower() == near[0])
            close = difflib.SequenceMatcher(None, key.lower(), near[0]).ratio() >= CLOSE
            hint = f"did you mean {prefix}{nearest}?" if close else f"there is none like it, the nearest is {prefix}{nearest}"
            raise ConfigError(f"{where}: {prefix}{key}: unknown key; {hint}")
        inner = known[key]
        if isinstance(value, Mapping) and isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            _check_keys(value, inner, where, f"{prefix}{key}.")


def _explained(message: str, raw: Mapping[str, Any]) -> str:
    """Turn msgspec's "Expected `float`, got `str` - at `$.update_every`" into key, what came and what is wanted."""
    said, _, path = message.partition(" - at `")
    keys = re.findall(r"[^.\[\]`$]+", path)
    missing = re.search(r"required field `(\w+)`", said)
    if missing:
        return f"{'.'.join([*keys, missing[1]])}: is missing; wanted a value for it"
    value: Any = raw
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
    wanted = said.removeprefix("Expected ").split(", got ")[0].replace("`", "").replace(" |", " or")
    for type_name, words in _WORDS.items():
        wanted = re.sub(rf"\b{type_name}\b", words, wanted)
    if said.startswith("Invalid enum value"):
        wanted = 'one of "Add", "Replace", "Append"'
    return f"{'.'.join(keys)}: got {json.dumps(value)}, wanted {wanted}"


_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def _kind(value: object) -> str:
    return {list: "list", str: "text", type(None): "null", bool: "boolean"}.get(type(value), "number")
