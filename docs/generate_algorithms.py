"""Writes docs/reference/algorithms.md from the declarations that scripts are served by: ``python docs/generate_algorithms.py``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "algorithms.md"

# Run as a file, this folder is first on the path instead of the checkout.
sys.path[0] = str(ROOT)

from livereduce.scripting.mantid.catalogue import algorithms  # noqa: E402
from livereduce.scripting.mantid.declaration import UNSET, Algorithm, Integer, Number, Property, Text  # noqa: E402

HEAD = """\
<!-- Made by docs/generate_algorithms.py from livereduce/scripting/mantid/catalogue; change it there. -->
# Algorithms

What `from mantid.simpleapi import ...` offers to scripts. Names, properties and defaults are Mantid's; so are the numbers, to 1e-9, except where a
[decision record](../decisions/README.md) says otherwise. Names of properties ignore case; None means "not given"; groups are treated member by member
unless it says "whole group". How to call them: [scripts](scripts.md).
"""


def page() -> str:
    """Return the page as it should be."""
    newest = [versions[max(versions)] for _, versions in sorted(algorithms().items())]
    listed = ", ".join(f"[{one.name}](#{one.name.lower()})" for one in newest)
    return "\n".join([HEAD, f"{listed}.", *(section(one) for one in newest)])


def section(algorithm: Algorithm) -> str:
    """Return what the page says of one algorithm."""
    title = algorithm.name if algorithm.version == 1 else f"{algorithm.name} version {algorithm.version}"
    whole = " Takes a whole group at once." if algorithm.groups == "whole" else ""
    rows = [f"| {one.name} | {wanted(one)} | {default(algorithm, one)} | {cell(one.doc)} |" for one in algorithm.properties]
    return "\n".join([f"\n## {title}\n", summary(algorithm) + whole, "", "| property | wanted | default | |", "| --- | --- | --- | --- |", *rows])


def summary(algorithm: Algorithm) -> str:
    """Return the first paragraph of an algorithm's text, on one line."""
    return " ".join(algorithm.doc.split("\n\n")[0].split()).replace("``", "`")


def wanted(one: Property) -> str:
    """Return the kind of a property with its bounds."""
    parts = [one.kind]
    if isinstance(one, Number | Integer):
        parts += [f"at least {one.at_least:g}"] if one.at_least is not None else []
        parts += [f"at most {one.at_most:g}"] if one.at_most is not None else []
    if isinstance(one, Text) and one.allowed:
        parts = [f"one of {', '.join(one.allowed)}"]
    return cell(", ".join(parts))


def default(algorithm: Algorithm, one: Property) -> str:
    """Return the default of a property in words."""
    value = algorithm.default(one)
    if value is UNSET:
        return "mandatory"
    return "" if value is None or value == "" or value == () else f"`{cell(value)}`"


def cell(value: object) -> str:
    """Return text that a table's cell can hold."""
    return " ".join(str(value).split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
