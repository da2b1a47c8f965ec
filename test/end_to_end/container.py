"""A real systemd in a throw-away copy of this machine.

systemd-nspawn boots an overlay of the root file system whose upper side lies in memory. Everything is arranged so that nothing can be left
behind, however the test process ends: the mounts live in a mount namespace that only the container has, its network is a loopback device of
its own, and its processes live in a process namespace whose first process the kernel kills when the thread that started it is gone.

Commands reach it with nsenter: a container that is not registered has no machinectl.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

BOOT_S = 60.0
"""Longest time to boot; a second is usual."""

HALT_S = 15.0
"""Time it has to end in good order; then it is killed."""

COMMAND_S = 60.0
"""Longest time for a command inside."""

NEEDED = ("systemd-nspawn", "nsenter", "unshare", "setpriv")

BOOT = """
base=$1; shift
# A control group of its own, or two containers that run at once would both be put into "/payload".
for cgroup in ${CGROUPS-}; do mkdir -p "$cgroup"; echo 0 >"$cgroup/cgroup.procs"; done
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
exec "$@"
"""

INSIDE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "SYSTEMD_PAGER": "cat", "SYSTEMD_COLORS": "0"}


class ContainerError(Exception):
    """The container did not boot, or a command in it failed; carries what it printed."""


def missing_tools() -> list[str]:
    """Return the commands that have to be installed first."""
    return [tool for tool in NEEDED if shutil.which(tool) is None]


def obstacle() -> str | None:
    """Return why this machine cannot boot a container whatever is installed, None where it can."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    if not _hierarchies():
        return "this kernel shows no cgroup2 and no cgroup hierarchy of systemd"
    if missing_tools():
        return None
    with tempfile.TemporaryDirectory(prefix="livereduce-overlay-") as base:
        tried = subprocess.run(_private(base, "true"), capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"the root file system cannot be overlaid here: {tried.stderr.strip()}"
    return None


def wait_until(wanted: Callable[[], object], seconds: float, what: Callable[[], str] | str) -> None:
    """Return as soon as `wanted` holds; raise ContainerError, with `what` was waited for, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > deadline:
            raise ContainerError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


class Container:
    """A booted copy of this machine; leaving the `with` block ends it.

    Parameters
    ----------
    binds:
        Folders of this machine to be seen, read-only, at the given place inside.

    Raises
    ------
    ContainerError
        If it does not boot; with the end of its console.
    """

    def __init__(self, binds: Mapping[Path, str]) -> None:
        self._name = f"livereduce-test-{os.getpid()}"
        self._base = Path(tempfile.mkdtemp(prefix=f"{self._name}-"))
        self._console = self._base.with_name(self._base.name + ".console")
        self._cgroups = [folder / self._name for folder in _hierarchies()]
        self._leader: int | None = None
        self._spawner = self._start(binds)
        try:
            wait_until(self._booted, BOOT_S, lambda: f"the container boots; its console ends with\n{self.console()}")
            # The boot speaks on the console, where it can be read if it fails; what follows belongs into the log.
            self.run("systemctl", "log-target", "journal")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Container:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- what tests use

    def run(self, *command: str, text: str = "", check: bool = True, seconds: float = COMMAND_S) -> str:
        """Run a command as root inside, with `text` as its input; return what it printed.

        Raises
        ------
        ContainerError
            If it fails (unless `check` is False) or takes longer than `seconds`.
        """
        try:
            done = subprocess.run(
                ["nsenter", f"--target={self._leader}", "--all", "--", *command],
                input=text, capture_output=True, text=True, env=INSIDE, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise ContainerError(f"{' '.join(command)}: not within {seconds:g} s") from late
        if check and done.returncode != 0:
            raise ContainerError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file inside; its folder is made where it is missing."""
        self.run("mkdir", "-p", str(Path(path).parent))
        self.run("tee", path, text=text)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return properties of a unit as `systemctl show` gives them."""
        lines = self.run("systemctl", "show", unit, f"--property={','.join(properties)}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def console(self, lines: int = 40) -> str:
        """Return the end of what the boot printed."""
        return "\n".join(self._console.read_text(errors="replace").splitlines()[-lines:])

    # --- beginning and end

    def _start(self, binds: Mapping[Path, str]) -> subprocess.Popen[bytes]:
        spawn = [
            "systemd-nspawn", "--boot", "--register=no", "--keep-unit", f"--machine={self._name}", f"--directory={self._base}/root",
            "--private-network", "--settings=no", "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=read-only", "--quiet",
            *(f"--bind-ro={_escaped(str(source))}:{_escaped(inside)}" for source, inside in binds.items()),
            # The least that carries a service: no network, timers or logins of the machine this is a copy of.
            "systemd.unit=sysinit.target", "fstab=no", "systemd.log_target=console",
        ]  # fmt: skip
        with self._console.open("wb") as console:
            return subprocess.Popen(
                _private(str(self._base), *spawn), stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env={**INSIDE, "CGROUPS": " ".join(map(str, self._cgroups))},
            )  # fmt: skip

    def _booted(self) -> bool:
        if self._spawner.poll() is not None:
            raise ContainerError(f"systemd-nspawn ended with status {self._spawner.returncode}\n{self.console()}")
        self._leader = self._leader or _leader(self._spawner.pid)
        if self._leader is None:
            return False
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def close(self) -> None:
        """End the container and take away what it left."""
        for pid in list(_descendants(self._spawner.pid))[:1]:
            os.kill(pid, signal.SIGTERM)
        try:
            self._spawner.wait(HALT_S)
        except subprocess.TimeoutExpired:
            self._spawner.kill()
            self._spawner.wait()
        for folder in self._cgroups:
            wait_until(lambda folder=folder: _removed(folder), 10, f"the control group {folder} is empty")
        shutil.rmtree(Path("/run/systemd/nspawn/propagate") / self._name, ignore_errors=True)
        self._console.unlink()
        self._base.rmdir()


def _private(base: str, *command: str) -> list[str]:
    """Return the command that runs `command` beside an overlay of / under `base`, in namespaces that end with it."""
    namespaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["setpriv", "--pdeathsig", "KILL", *namespaces, "sh", "-euc", BOOT, "sh", base, *command]


def _hierarchies() -> list[Path]:
    """Return this process's folders in the hierarchies by which systemd tracks processes."""
    own = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()}
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        name = "" if kind == "cgroup2" else "name=systemd" if kind == "cgroup" and "name=systemd" in options.split(",") else None
        if name is not None and name in own:
            found.append(Path(where) / own[name].lstrip("/"))
    return [folder for folder in found if folder.is_dir()]


def _leader(spawner: int) -> int | None:
    """Return the pid, seen from here, of the container's process 1."""
    for pid in _descendants(spawner):
        try:
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        except (FileNotFoundError, ProcessLookupError):
            continue
        # It is process 1 of its namespace from the start, and systemd only once it has the whole container around it.
        if status["NSpid"].split()[-1] == "1" and status["Name"] == "systemd":
            return pid
    return None


def _descendants(pid: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in map(int, children):
            yield child
            yield from _descendants(child)


def _removed(folder: Path) -> bool:
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        try:
            inner.rmdir()
        except OSError:
            return False
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:")
