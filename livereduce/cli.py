"""The command line: arguments and exit codes, no logic.

Exit codes: 0 asked to stop; 2 configuration wrong, one line on stderr; 1 anything else.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from livereduce import __version__
from livereduce.errors import ConfigError, LiveReduceError


def main(arguments: list[str] | None = None) -> int:
    """Run the command that `arguments` name; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["fake"]:
        return _fake(given[1:])
    chosen = _parser().parse_args(given)
    try:
        return int(chosen.command(chosen))
    except ConfigError as error:
        print(f"livereduce: {error}", file=sys.stderr)
        return 2
    except LiveReduceError as error:
        print(f"livereduce: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="livereduce", description="Live data reduction for neutron and X-ray beamlines.")
    parser.add_argument("--version", action="version", version=f"livereduce {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="the daemon")
    run.add_argument("conf", nargs="?", type=Path, help="configuration file; /etc/livereduce.conf when none is named")
    run.set_defaults(command=_run)
    status = commands.add_parser("status", help="what every process does, rates, lag, last error, versions and script hashes")
    status.add_argument("conf", nargs="?", type=Path, help="configuration file; /etc/livereduce.conf when none is named")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(command=_status)
    check = commands.add_parser("check", help="would this configuration, this script work? tried on simulated chunks")
    check.add_argument("file", type=Path, help="a configuration, or a script (.py)")
    check.set_defaults(command=_check)
    demo = commands.add_parser("demo", help="a simulated instrument, the daemon on it with example scripts, a live table; Ctrl-C ends all")
    demo.add_argument("--seconds", type=float, default=None, help="end by itself after this time")
    demo.set_defaults(command=_demo)
    commands.add_parser("fake", help="a simulated DAQ alone: livereduce fake histogram --help", add_help=False)
    return parser


def _run(chosen: argparse.Namespace) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda *_: sys.exit(0))  # while it starts there is nothing yet to bring in order
    from livereduce.supervisor.process import run

    return run(chosen.conf)


def _status(chosen: argparse.Namespace) -> int:
    from livereduce.config import read_config
    from livereduce.publish.overview import print_status

    config, _ = read_config(chosen.conf)
    return print_status(config.state, config.instrument, as_json=chosen.json)


def _check(chosen: argparse.Namespace) -> int:
    from livereduce.check import check

    return check(chosen.file)


def _demo(chosen: argparse.Namespace) -> int:
    from livereduce.demo import demo

    return demo(seconds=chosen.seconds)


def _fake(given: list[str]) -> int:
    from livereduce.simulators.command import main as fake

    return fake(given)
