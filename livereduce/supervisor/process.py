"""`livereduce run`: reads the configuration, makes everything ready, supervises."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from livereduce import __version__
from livereduce.config import Config, instrument_listener, read_config
from livereduce.errors import ConfigError, ScriptError
from livereduce.listeners.registry import listener_settings
from livereduce.process import open_log
from livereduce.receiver.process import ReceiverSettings
from livereduce.reducer.process import ReducerProcessSettings, ScriptPair
from livereduce.scripting.script import Script
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.places import Places
from livereduce.supervisor.children import context
from livereduce.supervisor.conf import ConfWatch
from livereduce.supervisor.heartbeat import Systemd
from livereduce.supervisor.instance import Lock
from livereduce.supervisor.loop import Limits, Supervisor
from livereduce.supervisor.reload import ScriptWatch
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
    receiver, reducer = settings_of(config)
    places = receiver.places
    lock = Lock(places.lock)
    ctx = context()
    wake = Wake()
    wake.catch_signals()
    _open_log(config)
    _diary(config, path)
    _make_stores(places, receiver.journal_max_bytes)
    board = Board(places.board)
    board.forget_status()
    scripts = ScriptWatch(*config.scripts, wake=wake.set)
    conf_watch = ConfWatch(config, path)
    supervisor = Supervisor(
        config.instrument, receiver, reducer, limits_of(config), board=board, systemd=Systemd(), wake=wake, context=ctx,
        look_at_scripts=lambda: _pair(scripts, time.monotonic()), look_at_conf=lambda: conf_watch.look(supervisor),
    )  # fmt: skip
    scripts.start()
    try:
        why = supervisor.run()
    finally:
        scripts.stop()
        board.sync()
        board.close()
        lock.release()
    log.info("Stopped: %s", why)
    return 0
