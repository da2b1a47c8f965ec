"""A script as text: read, hashed, compiled; its helpers; its returns."""

import hashlib
import pickle
import sys
import traceback
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.errors import ScriptError
from livereduce.scripting.script import Script


def written(folder: Path, text: str | bytes, name: str = "reduce_X_live_proc.py") -> Script:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    script = Script.read(path)
    assert script is not None
    return script


def run(folder: Path, text: str | bytes) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "__main__", "seen": []}
    exec(written(folder, text).compile(), names)
    return names


def test_a_missing_file_is_no_script(tmp_path: Path) -> None:
    assert Script.read(tmp_path / "none.py") is None
    assert Script.read(tmp_path / "no folder" / "none.py") is None


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf\n"])
def test_a_blank_file_is_no_script(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "blank.py").write_bytes(content)
    assert Script.read(tmp_path / "blank.py") is None


def test_a_folder_in_the_place_of_the_script_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=f"{tmp_path}: cannot be read: Is a directory"):
        Script.read(tmp_path)


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = b"x = 1\r\n"
    assert written(tmp_path, content).md5 == hashlib.md5(content).hexdigest()


def test_line_ends_marks_and_cookies_are_understood(tmp_path: Path) -> None:
    assert run(tmp_path, b"x = '''a\r\nb'''\r\n")["x"] == "a\nb"
    assert run(tmp_path, "x = 'Å'".encode("utf-8-sig"))["x"] == "Å"
    assert run(tmp_path, "# -*- coding: latin-1 -*-\nx = 'Å'".encode("latin-1"))["x"] == "Å"


def test_a_byte_that_does_not_decode_is_named_with_its_line(tmp_path: Path) -> None:
    script = written(tmp_path, b"x = 1\n# \xc5ngstr\xf6m\n")
    with pytest.raises(ScriptError, match=r"^reduce_X_live_proc.py:2: byte 0xc5 does not decode; wanted UTF-8$"):
        script.compile()


def test_a_zero_byte_is_a_script_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"^reduce_X_live_proc.py:\d+: .*null bytes"):
        written(tmp_path, b"x = 1\n\0").compile()


def test_a_script_travels(tmp_path: Path) -> None:
    script = written(tmp_path, "import plots\nx = 1\n")
    assert pickle.loads(pickle.dumps(script)) == script


def test_a_syntax_error_names_file_and_line_and_shows_the_line(tmp_path: Path) -> None:
    script = written(tmp_path, "a = 1\nb = = 2\n")
    script.path.write_text("another text\n")
    with pytest.raises(ScriptError, match=r"^reduce_X_live_proc.py:2: invalid syntax$") as caught:
        script.compile()
    assert "b = = 2" in caught.value.traceback_text


@pytest.mark.parametrize(
    "text", ["break", "yield 1", "return\nyield 1", "return\nawait x", "class A:\n    return", "nonlocal x\nreturn", "return\nbreak"]
)
def test_what_a_module_may_not_do_stays_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError, match=r"^reduce_X_live_proc.py:\d: "):
        written(tmp_path, text).compile()


def test_old_escapes_in_strings_are_no_error(tmp_path: Path) -> None:
    assert run(tmp_path, "x = '\\d'\n")["x"] == "\\d"


@pytest.mark.parametrize(
    "block",
    [
        "return\n",
        "return seen\n",
        "if True:\n    return\n",
        "for i in range(3):\n    return\n",
        "while True:\n    return\n",
        "with open(__import__('os').devnull):\n    return\n",
        "try:\n    return\nexcept Exception:\n    seen.append('swallowed')\n",
        "try:\n    return\nexcept:\n    seen.append('swallowed')\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    return\n",
        "match 1:\n    case n:\n        return\n",
    ],
)
def test_a_return_ends_the_script_wherever_it_stands(tmp_path: Path, block: str) -> None:
    names = run(tmp_path, f"seen.append('before')\n{block}seen.append('after')\n")
    assert names["seen"] == ["before"]


def test_a_finally_still_runs_when_the_script_returns(tmp_path: Path) -> None:
    assert run(tmp_path, "try:\n    return\nfinally:\n    seen.append('finally')\n")["seen"] == ["finally"]


MODULE_LIKE = '''"""About this script."""
from __future__ import annotations
from math import *
import os.path
count: int = 1
later: str
def bump():
    global count
    count += 1
def double(n):
    return 2 * n if n else factor
def recurse(n):
    return 1 if n == 0 else n * recurse(n - 1)
factor = double(3)
for i in range(3):
    bump()
table = [double(i) for i in range(1, 4) if (last := i)]
nested = [[i * j * factor for j in range(2)] for i in range(2)]
class Thing:
    size = factor
    sizes = [size]
    def get(self):
        return factor
exec("made = factor + 1")
seen.append(made)
seen.append("factor" in locals() and locals() is globals())
seen.append(eval("factor"))
with open(os.devnull) as handle: pass
try:
    1 / 0
except ZeroDivisionError as error:
    kind = type(error).__name__
match (1, 2):
    case (one, two): pass
def outer():
    kept = factor
    def inner():
        nonlocal kept
        kept += 1
        return kept
    return inner()
values = (count, factor, i, table, last, nested, Thing().get(), Thing.sizes, kind, one, two, outer(), recurse(5), floor(pi), __doc__)
del handle
if seen:
    END
'''


def test_a_script_that_returns_is_otherwise_a_module(tmp_path: Path) -> None:
    plain, returning = run(tmp_path, MODULE_LIKE.replace("END", "pass")), run(tmp_path, MODULE_LIKE.replace("END", "return"))
    assert returning["values"] == plain["values"]
    assert returning["seen"] == plain["seen"] == [7, True, 6]
    assert set(plain) - {"__annotations__", "annotations"} == set(returning)


def test_a_global_statement_after_the_use_of_its_name_does_not_hinder_a_return(tmp_path: Path) -> None:
    assert run(tmp_path, "if True:\n    global x\n    x = 1\nreturn\n")["x"] == 1


@pytest.mark.parametrize("ending", ["", "return\n"])
def test_tracebacks_have_the_scripts_own_lines_of_the_version_that_ran(tmp_path: Path, ending: str) -> None:
    script = written(tmp_path, f'text = """a\nb"""\ndef f():\n    return 1 / zero\nzero = 0\nf()\n{ending}')
    code = script.compile()
    script.path.write_text("# edited meanwhile\n" * 9)
    with pytest.raises(ZeroDivisionError) as caught:
        exec(code, {})
    frames = [(one.lineno, one.name, one.line) for one in traceback.extract_tb(caught.value.__traceback__) if one.filename == str(script.path)]
    assert frames == [(6, "<module>", "f()"), (4, "f", "return 1 / zero")]


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\\'\f"), max_size=30))
def test_triple_quoted_text_is_kept(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    names = run(tmp_path_factory.mktemp("s"), f"if True:\n    x = '''{text}'''\n    return\n".encode())
    assert names["x"] == text


def test_helpers_beside_the_script_are_found_through_one_another(tmp_path: Path) -> None:
    files = {
        "plots.py": "import numpy\nfrom shapes import round_one\n",
        "shapes/__init__.py": "",
        "shapes/round_one.py": "from . import square\nfrom .deep.er import thing\n",
        "shapes/square.py": "from ..plots import x\n",
        "shapes/deep/er.py": "import reduce_X_live_proc\n",
        "late.py": "this does not parse",
        "unused.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    script = written(tmp_path, "import plots, os\ndef f():\n    import late\n")
    found = {str(path.relative_to(tmp_path)): md5 for path, md5 in script.helpers}
    assert found == {name: hashlib.md5(text.encode()).hexdigest() for name, text in files.items() if name != "unused.py"}
    assert list(script.helpers) == sorted(script.helpers)


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("mantid.simpleapi")
    module.Rebin = module.SumSpectra = print  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mantid", ModuleType("mantid"))
    monkeypatch.setitem(sys.modules, "mantid.simpleapi", module)
    return module


@pytest.mark.usefixtures("face")
def test_an_algorithm_that_does_not_exist_is_told_with_the_nearest_that_does(tmp_path: Path) -> None:
    script = written(tmp_path, "from mantid.simpleapi import (SumSpectra,\n   Rebn)\n")
    with pytest.raises(ScriptError, match=r"^reduce_X_live_proc.py:2: no algorithm 'Rebn'; did you mean 'Rebin'\?$"):
        script.compile()
    script.check_syntax()


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from mantid.simpleapi import Rebn\nexcept ImportError:\n    pass",
        "def f():\n    from mantid.simpleapi import Rebn",
        "if False:\n    from mantid.simpleapi import Rebn",
    ],
)
def test_an_import_that_may_not_be_reached_is_left_alone(tmp_path: Path, text: str) -> None:
    run(tmp_path, text)
