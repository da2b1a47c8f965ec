"""A script's code, with ``return`` allowed at its top level.

A module cannot return, so a script that does is compiled as a function whose every name is declared global. The interpreter then does the
returning itself: ``finally`` and ``with`` run, no ``except`` can swallow it, line numbers stay. The function's code, freed of the two flags that
give a function locals of its own, runs in the script's globals just as a module's code does: ``locals()``, ``exec`` and comprehensions included.
"""

from __future__ import annotations

import ast
import inspect
import symtable
from collections.abc import Iterator
from types import CodeType

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
"""Nodes that begin a scope of their own."""


def compile_body(tree: ast.Module, text: str, filename: str) -> CodeType:
    """Return the code of a script.

    Parameters
    ----------
    tree:
        Syntax tree of `text`; changed when the script returns at its top level.
    text:
        The script.
    filename:
        What tracebacks call it.

    Raises
    ------
    SyntaxError
        If it is not Python; a top-level ``return`` is allowed.
    """
    if not any(isinstance(node, ast.Return) for node in _own_nodes(tree)):
        return compile(tree, filename, "exec", dont_inherit=True)
    # Compiled without its returns first: a yield or await at top level must stay an error, not turn the script into a generator.
    compile(ast.fix_missing_locations(_WithoutReturns().visit(ast.parse(text, filename))), filename, "exec", dont_inherit=True)
    module = compile(_as_function(tree, _names(text, filename)), filename, "exec", dont_inherit=True)
    function = next(one for one in module.co_consts if isinstance(one, CodeType))
    own_locals = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS
    return function.replace(co_flags=function.co_flags & ~own_locals, co_name="<module>", co_qualname="<module>")


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes that belong to the script's own scope."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, SCOPES):
            yield from _own_nodes(child)


def _names(text: str, filename: str) -> list[str]:
    """Every name that the script's own scope mentions; declaring one global that is only read does no harm."""
    table = symtable.symtable(text, filename, "exec")
    return sorted(name for name in table.get_identifiers() if name.isidentifier() and name != "__debug__")


def _as_function(tree: ast.Module, names: list[str]) -> ast.Module:
    """The script as the body of one function without arguments."""
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    rest = [node for node in tree.body if node not in future]
    documentation = ast.get_docstring(tree, clean=False)
    globals_: list[ast.stmt] = [ast.Global(names=names)] if names else []
    if documentation is not None:
        globals_ += ast.parse(f"globals()['__doc__'] = {documentation!r}").body
    body = globals_ + [_ForFunction().visit(node) for node in rest]
    empty: list[ast.stmt] = ast.parse("def script(): pass").body
    function = empty[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = body
    return ast.fix_missing_locations(ast.Module(body=[*future, function], type_ignores=[]))


class _WithoutReturns(ast.NodeTransformer):
    """Replaces the script's own returns by their values."""

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        value = node.value if node.value is not None else ast.copy_location(ast.Constant(value=None), node)
        return ast.copy_location(ast.Expr(value=value), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, SCOPES) else super().generic_visit(node)


class _ForFunction(ast.NodeTransformer):
    """Rewrites what a module may do at its top level and a function may not."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """A star import goes through exec, which imports into the globals that it finds."""
        if node.names[0].name != "*":
            return node
        statement = f"from {'.' * node.level}{node.module or ''} import *"
        return _moved(ast.parse(f"__import__('builtins').exec({statement!r})").body[0], node)

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        """All names are global already, and saying so again after their use is an error."""
        return ast.copy_location(ast.Pass(), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        """An annotated name cannot be global: the annotation goes, the assignment stays."""
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, SCOPES) else super().generic_visit(node)


def _moved(made: ast.stmt, origin: ast.stmt) -> ast.stmt:
    """`made` with all its nodes at the place of `origin`."""
    for node in ast.walk(made):
        if "lineno" in node._attributes:
            ast.copy_location(node, origin)
    return made
