"""Leaves of the declarations of commands no more in memory than their functions: the index, which is in the ROM, has
the rest, see catalog.index_source() and firmware/commands/__init__.py."""

import ast

from .errors import ShrinkError
from .trees import FUNCTIONS, names_in, without_docstring, written

# In the order in which the index counts them.
_FORMS = ("execute", "query", "set")
_TABLE = "HANDLERS"


def rows(sources):
    """Returns {path: source} in which the modules that declare commands have a tuple of their functions in place of the
    declarations, and where their lines were, {path: {line: (path, line)}}."""
    texts, lines = dict(sources), {}
    for path, source in sources.items():
        tree = ast.parse(source)
        declared = [node for node in tree.body if _is_declaration(node)]
        if declared:
            _strip(path, tree, declared)
            texts[path], lines[path] = written(path, tree)
    return texts, lines


def _is_declaration(node):
    calls = [mark for mark in getattr(node, "decorator_list", ()) if isinstance(mark, ast.Call)]
    return any(getattr(call.func, "id", "") == "command" for call in calls)


def _strip(path, tree, declared):
    functions = [part for node in declared for part in _handlers(path, node)]
    rest = [node for node in tree.body if node not in declared]
    used = set(names_in([*rest, *functions], ast.Load))
    for node in declared:
        if node.name in used:
            raise ShrinkError(f"{path}, line {node.lineno}: nothing remains of {node.name} that could be used")
    body = [f"def {_TABLE}():", " found = []"]
    body += [" def one(): pass", " found.append(one)"] * len(functions)
    made = ast.parse("\n".join([*body, " return tuple(found)", f"{_TABLE} = {_TABLE}()"])).body
    for place, function in enumerate(functions):
        function.name = "one"
        function.body = without_docstring(function.body)
        made[0].body[1 + 2 * place] = function
    tree.body = [part for node in rest for part in _needed(node, used)] + made


def _handlers(path, node):
    parts = {part.name: part for part in node.body if isinstance(part, FUNCTIONS)}
    others = [part for part in node.body if not isinstance(part, FUNCTIONS) and not _is_text(part)]
    if others or parts.keys() - set(_FORMS) or len(node.decorator_list) > 1:
        line = (others or [node])[0].lineno
        raise ShrinkError(f"{path}, line {line}: a declaration has {', '.join(_FORMS)}, its help, and nothing else")
    return [parts[form] for form in _FORMS if form in parts]


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _needed(node, used):
    """A statement without what only the declarations used: texts for their signatures, and what they are made with."""
    if isinstance(node, ast.ImportFrom) and node.module == "firmware.at.command":
        node.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
        return [node] if node.names else []
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        names = [getattr(target, "id", "") for target in node.targets]
        return [] if all(name.startswith("_") and name not in used for name in names) else [node]
    return [node]
