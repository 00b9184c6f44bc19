"""An amount as a formula of columns: `= [Order Quantity] * [Unit Price] * (1 - [Discount])`, turned into exact decimal SQL.

A formula knows names of columns (in brackets, or bare where they are one word), numbers, + - * / and parentheses; nothing else. A row
in which a cell that it needs is empty has no value; `[Debit]?` takes an empty cell for 0, as long as not all of the row's are empty.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from forecasting.errors import UserError

EXACT = "decimal(38, 12)"  # of every number on the way; what does not fit is no number
MOST_CHARACTERS = 1000
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True)
class Formula:
    """A formula as it was written, the columns that it names, and its tree."""

    text: str
    columns: tuple[str, ...]
    tree: ast.expr

    def sql(self, number_of: Callable[[str], str]) -> str:
        """Return the SQL of its value, `decimal(38, 12)`; `number_of` gives the SQL that reads a column's cell as a number.

        It is null where a cell is empty or no number, where it does not fit, and where it is divided by zero.
        """
        value = render(self.tree, self.columns, number_of)
        cells = ", ".join(number_of(column) for column in self.columns)
        return f"case when coalesce({cells}) is not null then {value} end"


def parse(text: str, where: str) -> Formula:
    """Read a formula; the sign of equality in front is not part of it.

    Raises
    ------
    UserError
        If it is anything but names of columns, numbers, + - * / and parentheses; `where` says where it stands.
    """
    columns: list[str] = []

    def placeholder(name: str, mark: str = "") -> str:
        if name not in columns:
            columns.append(name)
        return f" _{columns.index(name)}{'q' if mark else ''}_ "

    if len(text) > MOST_CHARACTERS:
        raise UserError(f"{where}: a formula of {len(text):,} characters; {MOST_CHARACTERS:,} are the most.")
    plain = re.sub(r"\[([^\[\]]+)\](\??)", lambda found: placeholder(found[1].strip(), found[2]), text.strip())
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
        for node in ast.walk(tree):
            require_plain(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = f"{error.args[0]}" if isinstance(error, ValueError) else "it cannot be read"
        raise UserError(
            f"{where}: «{text}» is no formula: {problem}. Write columns in brackets, numbers, + - * / and parentheses, as in "
            "= [Quantity] * [Unit price] * (1 - [Discount])."
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not re.fullmatch(r"_\d+q?_", node.id):
            node.id = placeholder(node.id).strip()
    if not columns:
        raise UserError(f"{where}: «{text}» names no column.")
    return Formula(text.strip(), tuple(columns), tree)


def require_plain(node: ast.AST) -> None:
    """Raise a ValueError at what no formula has."""
    known = (ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.UAdd, ast.USub, *SIGNS)
    number = isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) < 1e15
    if not isinstance(node, known) and not number:
        raise ValueError(f"it has more than names, numbers, + - * / and parentheses ({type(node).__name__.lower()})")


def render(node: ast.expr, columns: tuple[str, ...], number_of: Callable[[str], str]) -> str:
    """Return the SQL of a tree's value."""
    if isinstance(node, ast.Name):
        number = f"try_cast({number_of(columns[int(node.id.strip('_q'))])} as {EXACT})"
        return f"coalesce({number}, 0)" if node.id.endswith("q_") else number
    if isinstance(node, ast.Constant):
        return f"cast('{Decimal(str(node.value)):f}' as {EXACT})"
    if isinstance(node, ast.UnaryOp):
        sign = "-" if isinstance(node.op, ast.USub) else ""
        return f"({sign}{render(node.operand, columns, number_of)})"
    left, right = (render(side, columns, number_of) for side in (node.left, node.right))
    return combined(type(node.op), left, right)


def combined(kind: type[ast.operator], left: str, right: str) -> str:
    """Return the SQL of two values added, subtracted, multiplied or divided, null where the result does not fit."""
    if kind is ast.Div:
        exact = f"cast({left} as double) / nullif(cast({right} as double), 0)"
        return f"try_cast({exact} as {EXACT})"
    if kind is ast.Mult:
        return f"try(cast({left} * {right} as {EXACT}))"
    return f"try({left} {SIGNS[kind]} {right})"
