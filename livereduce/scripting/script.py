"""An instrument's script: its text, what it imports from beside it, and its compiled code."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import linecache
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from livereduce.errors import ScriptError
from livereduce.scripting.body import compile_body
from livereduce.scripting.neighbours import helpers as find_helpers
from livereduce.scripting.vocabulary import check_imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One version of a script. Holds its text, so that it can travel to another process and run there even when the file has changed since."""

    path: Path
    """Where it was read."""

    text: str = field(repr=False)
    """Its source, decoded, line ends unified; a byte that does not decode stands as a lone surrogate, which `check_syntax` reports."""

    md5: str
    """Of the file's bytes, 32 hex digits."""

    helpers: tuple[tuple[Path, str], ...] = ()
    """Path and md5 of each module beside the script that it imports, directly or not; ordered by path."""

    @property
    def name_and_md5(self) -> str:
        """Which version it is, for people."""
        return f"{self.path.name} md5 {self.md5}"

    @classmethod
    def read(cls, path: Path | str) -> Script | None:
        """Return the script as it stands in the file, None when the file is missing or blank.

        Raises
        ------
        ScriptError
            If something is there that cannot be read.
        """
        path = Path(path)
        try:
            source = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ScriptError(f"{path}: cannot be read: {error.strerror}") from error
        text = _decode(source)
        if not text.strip():
            return None
        return cls(path=path, text=text, md5=hashlib.md5(source, usedforsecurity=False).hexdigest(), helpers=find_helpers(path, source))

    def check_syntax(self) -> CodeType:
        """Return the code without asking whether the algorithms that it imports exist.

        Raises
        ------
        ScriptError
            If it is not Python: ``file:line: message``; the offending line is in the error's traceback text.
        """
        return self._compile()[1]

    def compile(self) -> CodeType:
        """Return the code to execute in a fresh namespace, and show this version's lines in tracebacks from now on.

        Raises
        ------
        ScriptError
            If it is not Python, or imports from ``mantid.simpleapi`` what is not there: ``file:line: message``.
        """
        tree, code = self._compile()
        check_imports(tree, self.path)
        # Without a time of change linecache never looks at the disk again, where another version may stand by now.
        linecache.cache[str(self.path)] = (len(self.text), None, [f"{line}\n" for line in self.text.split("\n")], str(self.path))
        return code

    def _compile(self) -> tuple[ast.Module, CodeType]:
        filename = str(self.path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a "\d" in an old script is no reason to speak up, nor to fail where warnings are errors
                tree = ast.parse(self.text, filename)
                return tree, compile_body(ast.parse(self.text, filename), self.text, filename)
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except UnicodeEncodeError as error:
            line = self.text.count("\n", 0, self.text.find(error.object[error.start])) + 1
            raise ScriptError(f"{self.path.name}:{line}: byte 0x{ord(error.object[error.start]) & 0xFF:02x} does not decode; wanted UTF-8") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise ScriptError(f"{self.path.name}:1: {error or 'nested too deeply'}") from None

    def _syntax_error(self, error: SyntaxError) -> ScriptError:
        lines = self.text.split("\n")
        line = error.lineno or 1
        # The compiler quotes the line from the disk; quote the one that was compiled.
        error.text = lines[line - 1] if 0 < line <= len(lines) else ""
        shown = "".join(traceback.format_exception_only(error))
        return ScriptError(f"{self.path.name}:{line}: {error.msg}", traceback_text=shown)


def _decode(source: bytes) -> str:
    """Text of Python source as Python reads it (cookie, mark, line ends); bytes that do not decode become lone surrogates."""
    try:
        return importlib.util.decode_source(source)
    except (SyntaxError, UnicodeDecodeError):
        return source.decode("utf-8-sig", errors="surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
