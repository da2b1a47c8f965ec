"""A script's error, as its author wants to read it: its own lines, without ours."""

from __future__ import annotations

import difflib
import traceback
from pathlib import Path

import livereduce
from livereduce.errors import LiveReduceError, ScriptError

OURS = str(Path(livereduce.__file__).parent) + "/"
"""Files that begin so are livereduce's."""

FACE = str(Path(__file__).parent) + "/"
"""Those of the scripts' face."""


def script_error(error: BaseException, script: Path, script_dir: Path) -> ScriptError:
    """Return what a script raised as a ScriptError ``file:line: ErrorType: text``, with the script's own traceback.

    The frames above the script are livereduce's and go. So do those below its last line when they only tell how the face found out that it was
    called wrongly; a mistake inside livereduce keeps them. The error holds text alone, no frames: a chunk's arrays do not live on in it.

    Parameters
    ----------
    error:
        What was raised.
    script, script_dir:
        The script that ran, and the folder in which its helpers are.
    """
    told = traceback.TracebackException.from_exception(error)
    _strip(told, error, str(script))
    if isinstance(error, SystemExit):
        what = f"the script called sys.exit({error.code!r})"
    else:
        said = next(iter(_text(error).splitlines()), "")
        what = f"{type(error).__name__}: {said}{_meant(error)}" if said else type(error).__name__
    return ScriptError(f"{_place(error, told.stack, script, script_dir)}: {what}", traceback_text="".join(told.format()))


def _strip(told: traceback.TracebackException, error: BaseException, script: str) -> None:
    """Take our frames out, also in what the error came from; an origin that is all ours goes."""
    told.stack = traceback.StackSummary.from_list(_own_frames(list(told.stack), error, script))
    for link in ("__cause__", "__context__"):
        origin, origin_error = getattr(told, link), getattr(error, link)
        if origin is not None and origin_error is not None:
            _strip(origin, origin_error, script)
            if not origin.stack:
                setattr(told, link, None)


def _own_frames(frames: list[traceback.FrameSummary], error: BaseException, script: str) -> list[traceback.FrameSummary]:
    first = next((i for i, frame in enumerate(frames) if frame.filename == script), None)
    if first is not None:
        frames = frames[first:]
    last = max((i for i, frame in enumerate(frames) if not frame.filename.startswith(OURS)), default=-1)
    below = frames[last + 1 :]
    if below and (isinstance(error, LiveReduceError) or below[-1].filename.startswith(FACE)):
        return frames[: last + 1]
    return frames


def _place(error: BaseException, frames: list[traceback.FrameSummary], script: Path, script_dir: Path) -> str:
    """Return ``file:line`` of the last line of the script or of a module beside it."""
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    for filename, line in reversed(places):
        if Path(filename) == script or Path(filename).is_relative_to(script_dir):
            return f"{Path(filename).name}:{line}"
    return script.name


def _meant(error: BaseException) -> str:
    """Return, for a name that is not defined, the nearest that is: an algorithm's, as a rule."""
    if not isinstance(error, NameError) or not error.name or error.__traceback__ is None:
        return ""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    close = difflib.get_close_matches(error.name, [*frame.f_locals, *frame.f_globals], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a script's exception class may fail at this too
        return ""
