"""What the passes share. Where they change the syntax tree of a module and not its text, it is written anew, and it is
noted where each of its lines was before."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def written(path, tree):
    """The text of a tree, and {line: (path, line of the statement before)} as far as the tree tells."""
    text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    lines = {}
    for new, old in zip(_statements(ast.parse(text)), _statements(tree), strict=True):
        lines[new.lineno] = path, old.lineno
    return text, lines


def _statements(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _statements(child)


def module_name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def without_docstring(body):
    """Statements without a docstring in front of them; at least one of them stays."""
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        body = body[1:] or [ast.copy_location(ast.Pass(), first)]
    return body


def name_of(node):
    """The last name of `a`, or of `x.a`, without underscores in front of it; "" for anything else."""
    name = getattr(node, "id", None) or getattr(node, "attr", None) or ""
    return name.lstrip("_") or name


def names_in(nodes, context=ast.expr_context):
    """The plain names in some nodes, as often as they are used in that context."""
    return [
        part.id
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, context)
    ]
