"""What a person states of the columns of fact tables, as params/ hold it, checked as far as no file is needed for it."""

from typing import Any

from forecasting.errors import UserError
from forecasting.facts.tables import TABLES, listed, nearest


def require_stated_tables(columns: dict[str, Any]) -> None:
    """Raise a UserError if `columns` of params/ names something else than fact tables, or states no names for one."""
    for name, mapping in columns.items():
        if name not in TABLES:
            known = f"Known: {listed(TABLES)}.{nearest(name, TABLES)}"
            raise UserError(f"columns: '{name}' is not a fact table. {known} Correct params/.")
        if not isinstance(mapping, dict):
            example = f"{{{name}: {{{TABLES[name].date}: Day}}}}"
            raise UserError(f"columns: {name} must name columns, for example {example}. Correct params/.")
