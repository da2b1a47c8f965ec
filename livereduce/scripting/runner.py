"""Runs a script against workspaces.

The names ``input``/``output`` of a chunk, ``accumulation`` and ``result`` are the runner's to put and to take away. All other workspaces that a
script makes stay in the data service for its next execution.
"""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from types import CodeType
from typing import Any

from livereduce.data.events import EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.names import UnknownWorkspaceError
from livereduce.data.workspace import Workspace
from livereduce.errors import ScriptError
from livereduce.scripting import namespace, surroundings
from livereduce.scripting.failure import script_error
from livereduce.scripting.mantid import workspaces
from livereduce.scripting.mantid.service import DataService
from livereduce.scripting.script import Script

log = logging.getLogger(__name__)

INPUT = "__livereduce_input"
"""Name of the chunk while the processing script runs: its ``str(input)`` and its ``output``. Hidden, as scripts list names."""

ACCUMULATION = "accumulation"
"""Name of the snapshot while the post-processing script runs."""

RESULT = "result"
"""Name of what a post-processing script makes; stands until the next one is made."""


class Runner:
    """Runs the scripts of an instrument. One thread may run the processing script while another runs the post-processing script.

    Parameters
    ----------
    service:
        The workspaces by name, as both scripts see them.
    script_dir:
        First on the search path of imports.
    """

    def __init__(self, service: DataService, script_dir: Path) -> None:
        self._service = service
        self._script_dir = Path(script_dir).absolute()
        self._surroundings = surroundings.Surroundings(self._script_dir)
        self._code: dict[tuple[Path, str], CodeType] = {}
        self._warned: set[tuple[Path, str, str]] = set()

    def run_chunk(self, script: Script, chunk: AnyWorkspace) -> AnyWorkspace:
        """Return what the processing script makes of a chunk; the chunk itself when it makes nothing.

        Raises
        ------
        ScriptError
            ``file:line: what happened``: the script does not compile, raised, or left something in ``output`` that is no workspace.
        """
        code = self._compiled(script)
        handle = self._service.put(INPUT, chunk)
        try:
            output = self._execute(script, code, {"input": handle}, INPUT)
            made = self._made(script, output, INPUT)
            return chunk if made is None else made
        finally:
            del handle
            self._remove(INPUT)

    def run_post(self, script: Script, snapshot: AnyWorkspace) -> AnyWorkspace:
        """Return what the post-processing script makes of a snapshot; when it makes nothing, the snapshot as the script left it.

        Raises
        ------
        ScriptError
            As `run_chunk`.
        """
        code = self._compiled(script)
        stale = self._marked_result()
        handle = self._service.put(ACCUMULATION, snapshot)
        try:
            output = self._execute(script, code, {"input": handle, "accumulation": handle}, RESULT)
            made = self._made(script, output, RESULT)
            # The result of the execution before, found by its name: this one made none.
            if made is not None and not (_is_name(output, RESULT) and _same(made, stale)):
                return made
            self._warn(script, "made no 'result'; the accumulation is published as the script left it")
            return self._service.value(ACCUMULATION) if ACCUMULATION in self._service else snapshot
        finally:
            del handle
            self._remove(ACCUMULATION)

    def _compiled(self, script: Script) -> CodeType:
        key = (script.path, script.md5)
        if key not in self._code:
            self._code[key] = script.compile()
        return self._code[key]

    def _execute(self, script: Script, code: CodeType, given: dict[str, object], output: str) -> object:
        """Run a script and return what its ``output`` is at the end; the name it was given when it was deleted."""
        name = namespace.OutputName(output, self._service)
        names = namespace.fresh(script, self._service, {**given, "output": name})
        failure: ScriptError | None = None
        try:
            with self._surroundings.entered(script.path):
                exec(code, names)
        except BaseException as error:  # noqa: BLE001 - whatever a script raises is the script's error; no Ctrl-C comes here
            failure = self._failure(script, error)
        left = names.get("output", name)
        namespace.release(names)
        if failure is not None:  # raised out here, where it does not drag the script's frames, and with them its arrays, along
            raise failure
        return left

    def _failure(self, script: Script, error: BaseException) -> ScriptError | None:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            self._warn(script, "called sys.exit(); that ends the script, not the service. A plain return does the same")
            return None
        return script_error(error, script.path, self._script_dir)

    def _made(self, script: Script, output: object, given: str) -> AnyWorkspace | None:
        """Return the workspace that ``output`` stands for; None when there is none under the name that was given."""
        if output is None:
            return None
        if isinstance(output, workspaces.Workspace):
            try:
                return output.value
            except UnknownWorkspaceError as error:
                raise ScriptError(f"{script.path.name}: output: {error}") from None
        if isinstance(output, Workspace | EventWorkspace | WorkspaceGroup):
            return output
        if isinstance(output, str):
            return None if output == given and given not in self._service else self._named(script, str(output))
        raise ScriptError(f"{script.path.name}: output is {type(output).__name__} {output!r:.80}; wanted a name, a workspace or None")

    def _named(self, script: Script, name: str) -> AnyWorkspace:
        if name not in self._service:
            raise ScriptError(f"{script.path.name}: output is {name!r}. {self._service.names.missing(name)}")
        return self._service.value(name)

    def _marked_result(self) -> AnyWorkspace | None:
        """Put a copy that is told from all else in the place of the result of the execution before, and return it; arrays stay shared."""
        if RESULT not in self._service:
            return None
        self._service.put(RESULT, _copied(self._service.value(RESULT)))
        return self._service.value(RESULT)

    def _remove(self, name: str) -> None:
        if name in self._service:
            self._service.pop(name)

    def _warn(self, script: Script, what: str) -> None:
        """Log a warning once for a version of a script."""
        key = (script.path, script.md5, what)
        if key not in self._warned:
            self._warned.add(key)
            log.warning('Script "%s" %s', script.path, what)


def _is_name(output: Any, name: str) -> bool:
    return isinstance(output, str) and output == name


def _copied(value: AnyWorkspace) -> AnyWorkspace:
    return (
        WorkspaceGroup(members=tuple(copy.copy(one) for one in value.members), names=value.names)
        if isinstance(value, WorkspaceGroup)
        else copy.copy(value)
    )


def _same(a: AnyWorkspace, b: AnyWorkspace | None) -> bool:
    """Return True when both are the same objects, groups member by member."""
    if b is None:
        return False
    left, right = (one.members if isinstance(one, WorkspaceGroup) else (one,) for one in (a, b))
    return len(left) == len(right) and all(x is y for x, y in zip(left, right, strict=True))
