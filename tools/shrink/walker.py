"""Goes through a module for `unclass`, and knows at each place which objects there are one of."""

import ast

from .singles import scope_of


class Walker(ast.NodeTransformer):
    """Goes through a module, and knows at each place which class it is in and what is local."""

    def __init__(self, path, plan):
        self.path = path
        self.plan = plan
        self.singles = plan.singles
        self.inside = None  # the class of which there is one object that this is in
        self.scope = {}

    def kind(self, node):
        return self.singles.of(node, self.inside, self.scope)

    def is_certain(self, node):
        """Whether an expression can be nothing else: what `at` has. Others could be stood in for."""
        if isinstance(node, ast.Attribute) and self.kind(node) != self.singles.root:
            return self.is_certain(node.value)
        return self.kind(node) == self.singles.root or (
            isinstance(node, ast.Name) and node.id == "self" and bool(self.inside)
        )

    def visit_ClassDef(self, node):
        outer = self.inside, self.scope
        self.inside = node.name if self.path in self.plan.parts and node.name in self.singles.classes else None
        if not self.inside:
            self.scope = self.scope | {"self": None}
        result = self.in_class(node)
        self.inside, self.scope = outer
        return result

    def in_class(self, node):
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        outer = self.scope
        self.scope = scope_of(node, outer, self.singles, self.inside)
        result = self.in_function(node)
        self.scope = outer
        return result

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def in_function(self, node):
        return self.generic_visit(node)


class Uses(Walker):
    """Notes what is used of the objects."""

    def of(self, tree):
        """[(the use of an attribute, the class or None, whether the object is certain)]"""
        self._found = []
        self.visit(tree)
        return self._found

    def visit_Attribute(self, node):
        self._found.append((node, self.kind(node.value), self.is_certain(node.value)))
        return self.generic_visit(node)
