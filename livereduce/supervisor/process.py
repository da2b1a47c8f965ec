"""`livereduce run`: reads the configuration, makes everything ready, supervises."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from livereduce import __version__
from livereduce.config import Config, instrument_listener, read_config
from livereduce.errors import ConfigError
from livereduce.listeners.registry import listener_settings, make_listener
from livereduce.process import open_log
from livereduce.receiver.process import ReceiverSettings
from livereduce.reducer.process import ReducerProcessSettings, ScriptPair
from livereduce.store.board import Board
from livereduce.store.journal import Journal, discard_overflow
from livereduce.store.places import Places
from livereduce.supervisor.children import context
from livereduce.supervisor.conf import ConfWatch
from livereduce.supervisor.heartbeat import Systemd
from livereduce.supervisor.instance import Lock
from livereduce.supervisor.loop import Limits, Supervisor
from livereduce.supervisor.reload import ScriptWatch
from livereduce.supervisor.script_change import Role, loaded_line
from livereduce.supervisor.wake import Wake

log = logging.getLogger(__name__)

GB = 10**9


def run(conf: Path | None) -> int:
    """Run the daemon until it is told to end; return the exit code.

    Raises
    ------
    ConfigError
        If the configuration is wrong, or neither script is there.
    StoreError
        If the state folder cannot be used, or another daemon uses it.
    """
    config, path = read_config(conf)
    wake = Wake()
    watch = ScriptWatch(*config.scripts, wake=wake.set)
    try:
        receiver, reducer = settings_of(config, _pair(watch))
        lock = Lock(receiver.places.lock)
        _open_log(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    ctx = context()
    wake.catch_signals()
    _diary(config, path)
    board = _make_stores(receiver)
    for role, script in ((Role.PROCESSING, watch.process), (Role.POST_PROCESSING, watch.post)):
        if script is not None:
            log.info("%s", loaded_line(role, script.path, script.md5))
    supervisor = Supervisor(
        config.instrument, receiver, reducer, limits_of(config), board=board, systemd=Systemd(), wake=wake, context=ctx,
        look_at_scripts=lambda: _changed(watch), look_at_conf=lambda: conf_watch.look(),
    )  # fmt: skip
    conf_watch = ConfWatch(config, path, lambda new: setattr(supervisor, "limits", limits_of(new)))
    watch.start()
    try:
        why = supervisor.run()
    except Exception:
        log.critical("The daemon ends by an error that it cannot mend", exc_info=True)
        raise
    finally:
        watch.stop()
        board.close()
        discard_overflow(receiver.places.overflow)
        lock.release()
    log.info("Stopped: %s", why)
    return 0


def settings_of(config: Config, scripts: ScriptPair) -> tuple[ReceiverSettings, ReducerProcessSettings]:
    """Return what the two processes need to know of `config`.

    Raises
    ------
    ConfigError
        If the source is unknown, or neither script is there.
    """
    if scripts.process is None and scripts.post is None:
        raise ConfigError(f"script_dir: neither {config.scripts[0]} nor {config.scripts[1]} exists with something in it; wanted one at least")
    source = instrument_listener(config)
    places, log_file, max_bytes = Places(config.state), config.log, int(config.journal_max_gb * GB)
    listener = listener_settings(
        source.type or "", source.address, periods=config.periods, spectra=config.spectra, poll_s=config.update_every, options=source.options
    )
    make_listener(listener)  # says now, and to whoever starts the daemon, what is wrong with its options
    receiver = ReceiverSettings(listener=listener, places=places, journal_max_bytes=max_bytes, log_file=log_file)
    reducer = ReducerProcessSettings(
        scripts=scripts,
        script_dir=config.scripts[0].parent,
        method=config.accum_method,
        preserve_events=config.preserve_events,
        update_every_s=config.update_every,
        chunk_every_s=config.chunk_every,
        places=places,
        journal_max_bytes=max_bytes,
        log_file=log_file,
    )
    return receiver, reducer


def limits_of(config: Config) -> Limits:
    """Return the limits that `config` sets."""
    return Limits(
        memory_percent=config.system_mem_limit_perc,
        memory_every_s=config.mem_check_interval_sec,
        silence_s=config.watchdog.threshold,
    )


def _pair(watch: ScriptWatch) -> ScriptPair:
    return ScriptPair(process=watch.process, post=watch.post)


def _changed(watch: ScriptWatch) -> ScriptPair | None:
    """Log what happened to the scripts; return those to run from now on when that has changed."""
    changes = watch.look(time.monotonic())
    for change in changes:
        log.log(change.level, "%s", change.text)
    return _pair(watch) if any(change.restart for change in changes) else None


def _open_log(config: Config) -> None:
    try:
        config.log.parent.mkdir(parents=True, exist_ok=True)
        open_log(config.log)
    except OSError as error:
        raise ConfigError(f"log_file: {config.log}: cannot be written: {error.strerror}; wanted a file that this user may write") from error


def _diary(config: Config, path: Path) -> None:
    log.info("livereduce %s for %s, configuration %s, state %s", __version__, config.instrument, path, config.state)
    for key in ("CONDA_ENV", "PIXI_ENV"):
        if (value := getattr(config, key)) is not None:
            log.info("%s = %s is noted: the environment is what systemd started this with", key, value)


def _make_stores(settings: ReceiverSettings) -> Board:
    """Make the stores, so that no process has to wait for another; return the board."""
    places = settings.places
    Journal(places.journal, places.overflow, max_bytes=settings.journal_max_bytes).close()
    board = Board(places.board)
    board.forget_status()
    return board
