"""The pages say what is so: links lead somewhere, examples run, tables agree with the code they describe."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import msgspec.inspect as inspect
import pytest

from livereduce.cli import _parser
from livereduce.config import Config, InstrumentFile, parse
from livereduce.listeners.isis_histogram import OPTIONS
from livereduce.listeners.registry import BUILTIN
from livereduce.scripting.mantid.catalogue import algorithms
from livereduce.supervisor.conf import LIVE_KEYS

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("instruments/**/*.md")])
SCRIPTS = sorted([*ROOT.glob("instruments/*/reduce_*.py"), *ROOT.glob("test/reduce_*.py"), *ROOT.glob("test/postprocessing/reduce_*.py")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\[[^\]\n]*\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


def blocks(page: Path, language: str) -> Iterator[str]:
    for indent, found, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if found == language:
            yield re.sub(f"^{indent}", "", text, flags=re.MULTILINE)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(page: Path, header: str) -> list[list[str]]:
    """Return the cells of the first table whose header line begins with `header`."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {header} |"))
    body = lines[start + 2 :]
    end = next((i for i, line in enumerate(body) if not line.startswith("|")), len(body))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in body[:end]]


def generator() -> ModuleType:
    path = ROOT / "docs" / "generate_algorithms.py"
    spec = importlib.util.spec_from_file_location("generate_algorithms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    first = sys.path[0]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[0] = first
    return module


# --- links


@pages
def test_links_lead_to_a_file_and_to_a_title_in_it(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in anchors(found), f"{name_of(page)} links to {target}; titles: {sorted(anchors(found))}"


@pages
def test_files_named_in_backticks_exist(page: Path) -> None:
    named = re.findall(r"`((?:livereduce|docs|test|instruments|systemd|scripts)/[\w./\-]*[\w/])`", prose(page))
    if name_of(page).startswith("docs/decisions/"):
        named = [one for one in named if one.startswith("livereduce/")]
    missing = [one for one in named if not (ROOT / one).exists()]
    assert not missing, f"{name_of(page)} names {missing}"


def test_every_decision_is_listed_and_bears_its_number() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    for record in folder.glob("[0-9]*.md"):
        assert record.name in listed
        assert record.read_text(encoding="utf-8").startswith(f"# {record.name[:4]}: ")


def test_every_page_is_reachable_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in LINK.findall(prose(page)) if "://" not in target]
    assert {name_of(page) for page in PAGES} <= {name_of(page) for page in seen}


def test_the_modules_that_own_words_exist() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").partition("## Words that mean several things")[0]
    owners = [cell for line in text.splitlines() if line.startswith("| ") for cell in re.findall(r"`([^`]+)`", line.rsplit("|", 2)[1])]
    assert len(owners) > 40
    assert [one for one in owners if not (ROOT / "livereduce" / one).exists()] == []


def test_the_map_names_rooms_that_exist() -> None:
    table = rows(ROOT / "docs/map.md", "change")
    named = {one for row in table for one in re.findall(r"`([\w/]+/(?:\w+\.py)?|\w+\.py)`", row[1])}
    assert len(named) > 15
    assert [one for one in named if not (ROOT / "livereduce" / one).exists() and not (ROOT / one).exists()] == []


def test_the_map_shows_every_module() -> None:
    (picture,) = [text for _, _, text in FENCE.findall((ROOT / "docs/map.md").read_text(encoding="utf-8")) if text.startswith("livereduce/")]
    for room in ROOT.glob("livereduce/*/"):
        if (room / "__init__.py").exists():
            assert f"{room.name}/" in picture, room.name
    for module in ROOT.glob("livereduce/*.py"):
        assert module.name in picture or module.name == "__init__.py", module.name


# --- examples


@pages
def test_python_examples_compile(page: Path) -> None:
    for text in blocks(page, "python"):
        compile(text, name_of(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pages
def test_json_and_toml_examples_parse(page: Path) -> None:
    for text in blocks(page, "json"):
        json.loads(text)
    for text in blocks(page, "toml"):
        tomllib.loads(text)


@pages
def test_configurations_in_examples_are_accepted(page: Path) -> None:
    for text in blocks(page, "json"):
        if "instrument" in json.loads(text):
            parse(text, name_of(page))


@pytest.mark.parametrize("path", sorted(ROOT.glob("test/**/fake.conf")), ids=name_of)
def test_configurations_to_try_are_accepted_and_name_scripts_that_exist(path: Path) -> None:
    config = parse(path.read_text(encoding="utf-8"), str(path))
    assert any((ROOT / config.script_dir / script.name).is_file() for script in config.scripts)


@pytest.mark.parametrize("path", sorted(ROOT.glob("instruments/*/instrument.json")), ids=name_of)
def test_instrument_files_hold_known_keys(path: Path) -> None:
    assert msgspec.json.decode(path.read_bytes(), type=InstrumentFile).description


@pages
def test_commands_in_examples_exist(page: Path) -> None:
    known = commands()
    for text in blocks(page, "sh"):
        for command in re.findall(r"(?:^|\s)livereduce ([a-z]+)", text):
            assert command in known, f"{name_of(page)}: livereduce {command}"


# --- tables that agree with the code


def commands() -> set[str]:
    (chosen,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return set(chosen.choices)


def test_every_command_is_described() -> None:
    described = {word for row in rows(ROOT / "docs/reference/commands.md", "command") for word in re.findall(r"`livereduce ([a-z]+)", row[0])}
    assert described == commands()


def words_for(kind: object) -> str:
    """Return what the page calls a msgspec type."""
    match kind:
        case inspect.UnionType(types=types):
            parts = [words_for(one) for one in types if not isinstance(one, inspect.NoneType)]
            return ", ".join(parts) + (", or null" if kind.includes_none else "")
        case inspect.ListType(item_type=item):
            return f"list of {words_for(item).replace('number', 'numbers', 1)}"
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(json.dumps(value) for value in sorted(values))
        case inspect.IntType() | inspect.FloatType():
            limits = ((">", kind.gt), ("≥", kind.ge), ("≤", kind.le))
            bounds = [f"{sign} {value:.10g}".replace("1000000000", "1e9") for sign, value in limits if value is not None]
            noun = "whole number" if isinstance(kind, inspect.IntType) else "number"
            return f"{noun} {', '.join(bounds)}".strip()
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text"
        case inspect.DictType():
            return "object"
    raise AssertionError(f"no words for {kind}")


def keys(struct: type, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield key, what is wanted, default of everything that can be set."""
    import msgspec

    for field in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        if isinstance(field.type, inspect.StructType):
            yield from keys(field.type.cls, f"{prefix}{field.name}.")
            continue
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory
        text = "required" if default is msgspec.NODEFAULT else f"`{json.dumps(default() if callable(default) else default)}`"
        yield f"{prefix}{field.name}", words_for(field.type), text


def test_the_table_of_the_configuration_has_each_key_with_type_bound_and_default() -> None:
    page = ROOT / "docs/reference/configuration.md"
    assert [tuple(row[:3]) for row in rows(page, "key")] == list(keys(Config))
    assert all(row[3] for row in rows(page, "key"))


def test_the_keys_that_apply_at_once_are_named() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    sentence = next(line for line in text.split("\n\n") if "applied at once" in line)
    assert set(re.findall(r"`(\w+)`", sentence.split("applied at once")[0])) == LIVE_KEYS


def test_the_kinds_of_sources_are_described_with_address_and_options() -> None:
    described = {row[0]: row[1:] for row in rows(ROOT / "docs/reference/configuration.md", "type")}
    assert described.keys() == BUILTIN.keys()
    for name, kind in BUILTIN.items():
        assert f"`{kind.default_address}`" in described[name][0]
    options = dict(re.findall(r"`(\w+)` \((\d+)\)", described["ISIS_Histogram"][1]))
    assert options == {name: f"{seconds:g}" for name, seconds in OPTIONS.items()}


def test_the_page_of_algorithms_is_what_the_declarations_say() -> None:
    made = generator()
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run: python docs/generate_algorithms.py"
    assert all(f"\n## {name}" in made.page() for name in algorithms())


def literals() -> list[str]:
    """Return every text in the package, formats with their gaps as NUL."""
    found = []
    for path in ROOT.glob("livereduce/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[\d.]*[a-z]", "\0", node.value))
    return found


def test_every_line_of_the_log_that_is_promised_is_in_the_code() -> None:
    known = literals()
    promised = [line for row in rows(ROOT / "docs/reference/log-lines.md", "when") for line in re.findall(r"`([^`]+)`", row[2])]
    lines = [line for line in promised if not re.fullmatch(r"none|\(<reason>\)", line)]
    assert len(lines) > 25
    for line in lines:
        # A line may be put together in two places, so that its parts are looked for one by one.
        parts = re.split(r'"?<[^>]*>"? ?|; ', re.sub(r"^(Processing|Accumulation|Using (post-)?processing)", "", line))
        missing = [part for part in parts if not any(part in text for text in known)]
        assert not missing, f"{line}: {missing}"


# --- the words of make, and what the commands say


def test_the_words_of_make_in_the_pages_are_those_of_the_makefile() -> None:
    words = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"`?\bmake ([a-z]+)(?=`|\s+#|;)", page.read_text(encoding="utf-8"))}
    assert {"demo", "test"} <= named <= words


def test_help_names_every_command() -> None:
    said = subprocess.run([sys.executable, "-m", "livereduce", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert all(re.search(rf"^\s+{command}\b", said, re.MULTILINE) for command in commands())
