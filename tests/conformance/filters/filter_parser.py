"""What the PyPI package scim2-filter-parser makes of filters: one JSON object a line in, one a line out. It parses only."""

import json
import sys

from scim2_filter_parser import ast
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser


def path(node):
    urn = f"{node.uri}:" if node.uri else ""
    part = f".{node.sub_attr.value}" if node.sub_attr else ""
    return f"{urn}{node.attr_name}{part}"


def tree(node):
    """Operators first, paths as they were written."""
    if isinstance(node, ast.Filter):
        inner = tree(node.expr)
        if node.namespace is not None:
            inner = ["[]", path(node.namespace), inner]
        return ["not", inner] if node.negated else inner
    if isinstance(node, ast.LogExpr):
        return [node.op.lower(), tree(node.expr1), tree(node.expr2)]
    op = node.value.lower()
    if op == "pr":
        return ["pr", path(node.attr_path)]
    # The tool forgets whether a literal was quoted; no string of ours reads like a word or a number.
    text = node.comp_value.value
    return [op, path(node.attr_path), json.loads(text) if text in ("true", "false", "null") else text]


for line in sys.stdin:
    asked = json.loads(line)
    if "resources" in asked:
        continue
    try:
        said = {"tree": tree(SCIMParser().parse(SCIMLexer().tokenize(asked["filter"])))}
    except Exception as problem:
        said = {"error": f"{type(problem).__name__}: {problem}"}
    print(json.dumps(said))
