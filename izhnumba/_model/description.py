"""The text of `help(model)`, made of the model: its equations as they are written, its state and its parameters."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from izhnumba._base.documented import columns
from izhnumba._model.quantity import Quantity
from izhnumba._model.states import StateVariable


def description(model: Any) -> str:
    """Name, source, equations, state and parameters of a `Model` (which is made of this file), for its `__doc__`."""
    V_dot, rate = "V'" if model.C is None else "C V'", _written("rate", model.rate)[-1].removeprefix("rate = ")
    *steps, du = _written("du", model.du)
    equations = _written(V_dot, model.dV)
    if model.C is not None and (C := _written("C", model.C)) != ["C = C"]:
        equations += C
    equations += [*steps, du, f"u' = {rate} * du"] if steps else [f"u' = {rate} * ({du.removeprefix('du = ')})"]
    for name, one in model.states.items():
        equations += _written(f"{name}'", one.derivative)
    *steps, threshold = _written("V", model.threshold)
    spike = [*steps, threshold.replace("V = ", "a spike where V >= ", 1), "after it"]
    spike += [f"    {line}" for line in (*_written("V", model.V_reset), *_written("u", model.u_reset))]
    for name, one in model.states.items():
        spike += [f"    {line}" for line in (_written(name, one.reset) if one.reset else ())]
    lines = "\n".join(f"    {line}" for line in (*equations, *spike))
    state = _table({**model.variables, "I": model.I})
    return (
        f"{model.name}: a model for `izhnumba.Population(n, model=...)`.\n\n{textwrap.fill(model.source, 100)}\n\n"
        f"{lines}\n\nState and input, with where they start:\n\n{state}\n\n"
        f"Parameters, with their defaults:\n\n{_table(model.parameters)}\n"
    )


def _table(quantities: Mapping[str, Quantity | StateVariable]) -> str:
    return columns([(name, f"{q.default:g}", q.unit, q.meaning + _bounds(q)) for name, q in quantities.items()])


def _bounds(quantity: Quantity | StateVariable) -> str:
    if not isinstance(quantity, Quantity):
        return ""
    limits = ((">", quantity.above), (">=", quantity.at_least))
    return "".join(f", {sign} {bound:g}" for sign, bound in limits if bound is not None)


class _Named(ast.NodeTransformer):
    """Writes the parameter p.k as k."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(node.attr) if isinstance(node.value, ast.Name) and node.value.id == "p" else node


def _written(name: str, equation: Callable[..., Any]) -> list[str]:
    """The lines of an equation; the last one is `name` = its result."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(equation)))
        found = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
        body = found[0].body
    except (OSError, TypeError, SyntaxError, IndexError):  # made without a file, or a lambda within a statement
        found, body = [], None
    if not isinstance(body, list):
        text = ast.unparse(_Named().visit(body)) if body and len(found) == 1 else f"{equation.__name__}(...)"
        return [f"{name} = {text}"]
    *steps, result = [_Named().visit(one) for one in body if not _is_text(one)]
    if isinstance(result, ast.Return) and result.value is not None:
        result = f"{name} = {ast.unparse(result.value)}"
    else:
        result = ast.unparse(result)
    return [line for step in steps for line in ast.unparse(step).splitlines()] + result.splitlines()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
