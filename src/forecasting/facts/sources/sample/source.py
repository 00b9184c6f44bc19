"""The source sample: it makes its facts, Parquet files that have the contract's columns already."""

from pathlib import Path
from typing import Any

from forecasting.facts.named_parquet import Columns, NamedParquet
from forecasting.files import digest, write_if_changed

COLUMNS: dict[str, Columns] = {
    "sales": {"order_date": "date", "net_amount": "number", "cost_amount": "number", "quantity": "number",
              "region": "text", "product_category": "text", "product": "text"},
    "inventory": {"snapshot_date": "date", "quantity_on_hand": "number", "unit_cost": "number",
                  "region": "text", "product_category": "text", "product": "text"},
    "expenses": {"expense_date": "date", "amount": "number", "region": "text?"},
}  # fmt: skip


class Sample(NamedParquet):
    """sales.parquet, inventory.parquet and expenses.parquet, made on the spot where no FACTS= says where they are."""

    name = "sample"
    needs = ""
    made_by = frozenset({"forecasting.sample.writing"})
    parquet = COLUMNS
    tables = {name: ((name,), {column: column for column in columns}) for name, columns in COLUMNS.items()}  # noqa: RUF012

    def bring(self, place: Path, settings: dict[str, Any], code: str) -> list[str]:
        """Make the company's facts where they are not there yet, or were made by other code."""
        small = settings["sample_size"] == "small"
        note, made_by = place / "made_by.txt", digest(code, small)
        if not note.exists() or note.read_text(encoding="utf-8") != made_by:
            from forecasting.sample import write_company

            write_company(place, small=small)
            write_if_changed(note, made_by)
        return []


SOURCE = Sample()
