from __future__ import annotations

import sys
import textwrap

import pytest

from livereduce.scripting.mantid.assignment import assigned_names

FORMS = {
    "f()": (),
    "ws = f()": ("ws",),
    "ws: int = f()": ("ws",),
    "ws = f(1, *(2, 3), a=4, **{})": ("ws",),
    "ws = f(f2(1), a=2)": ("ws",),
    "a, b = f()": ("a", "b"),
    "(a, b) = f()": ("a", "b"),
    "[a, b, c] = f()": ("a", "b", "c"),
    "a = b = f()": ("a",),
    "(ws := f())": ("ws",),
    "print_(ws := f())": ("ws",),
    "o.ws = f()": ("ws",),
    "o.inner.ws = f()": ("ws",),
    "o.a, b = f()": ("a", "b"),
    "a, o.b = f()": ("a", "b"),
    "d['x'] = f()": (),
    "a, d['x'] = f()": ("a", ""),
    "print_(f())": (),
    "x = [f()]": (),
    "x = f() or 1": (),
    "x = 1 + f()": (),
    "x = f().real": (),
    "x = f().conjugate()": (),
    "a, b = f(), 1": ("a",),
    "a, b = 1, f()": ("b",),
    "a, b = f2(1), f()": ("b",),
    "a, b = f(), f2(o.ws + 1)": ("a",),
    "a, b, c = 1, f(), 2": ("b",),
    "a, b, c = f(), 1, f2(3)": ("a",),
    "a, b, c, d2 = f(), 1, 2, 3": (),
    "for x in f(): pass": (),
    "if f(): pass": (),
    "x = [f() for _ in '1']": (),
    "ws = o.f()": ("ws",),
    "x = o + 1": ("x",),
    "x = (o + 1).real": (),
    "x = 2 * (o + 1)": (),
    "o += 1": ("o",),
}


class Thing:
    """Answers calls and additions, and notes what they are assigned to."""

    def __init__(self) -> None:
        self.seen: tuple[str, ...] | None = None
        self.inner = self.ws = 0

    def note(self, value: object) -> object:
        self.seen = assigned_names(sys._getframe(2))
        return value


def run(text: str, wrap: str) -> tuple[str, ...] | None:
    code = wrap.replace("BODY", textwrap.indent(text, "    " if "def" in wrap or "class" in wrap else ""))
    targets = text.partition("=")[0]
    parts = (
        targets.count(",") + 1
        if "," in targets and "f()" in text.partition("=")[2].split(",")[0].strip() and "," not in text.partition("=")[2]
        else 0
    )
    noted = Thing()

    class Answer(Thing):
        def __add__(self, other: object) -> complex:
            return noted.note(1j)  # type: ignore[return-value]

        def f(self) -> object:
            return noted.note(1j)

    owner = Answer()
    owner.inner = Answer()  # type: ignore[assignment]
    names = {
        "f": lambda *args, **keywords: noted.note(tuple(range(parts)) if parts else 1j if "for x" not in text else ()),
        "f2": lambda *args: 0,
        "print_": lambda one: None,
        "o": owner,
        "d": {},
        "__name__": "script",
    }
    if "f2(o.ws + 1)" in text:
        owner.ws = 1
    exec(compile(code, "script", "exec"), names)
    return noted.seen


WRAPS = {
    "module": "BODY",
    "function": "def body(o=o, f=f):\nBODY\nbody()",
    "class": "class Body:\nBODY",
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("text", FORMS)
def test_a_result_is_named_by_what_it_is_assigned_to(text: str, wrap: str) -> None:
    assert run(text, WRAPS[wrap]) == FORMS[text]


def test_variables_of_closures_and_globals_give_their_names() -> None:
    closure = "def body():\n    ws = f()\n    return lambda: ws\nbody()"
    assert run("ws = f()", closure) == ("ws",)
    assert run("ws = f()", "def body():\n    global ws\n    ws = f()\nbody()") == ("ws",)
    assert run("ws = f()", "def body():\n    ws = 1\n    def inner():\n        nonlocal ws\n        ws = f()\n    inner()\nbody()") == ("ws",)


def test_a_result_that_a_function_returns_has_no_name() -> None:
    assert run("return f()", "def body():\n    return f()\nx = body()") == ()


def test_a_name_far_into_a_long_script_is_found() -> None:
    many = "\n".join(f"v{i} = {i}" for i in range(400))
    assert run("ws = f()", f"{many}\nws = f()") == ("ws",)
    assert run("x", f"{many}\nlast, other = f(), 1") == ("last",)
