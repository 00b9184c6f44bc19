"""SQL of dbt's models and macros without dbt: a source or model is the table of its name."""

from pathlib import Path
from types import ModuleType

import jinja2

DBT = Path(__file__).resolve().parents[1] / "dbt"


def environment() -> jinja2.Environment:
    """Jinja as dbt sets it up, as far as plain models need it."""
    found = jinja2.Environment(extensions=["jinja2.ext.do"])
    nothing = {"var": lambda name, default=None: default}  # of params/: as where nobody states anything
    found.globals.update(nothing, ref=lambda name: name, source=lambda source, name: name)
    return found


def model(name: str) -> str:
    """Return the SQL of a model that uses no macros, such as marts/counted_forecasts."""
    return environment().from_string((DBT / "models" / f"{name}.sql").read_text(encoding="utf-8")).render()


def macros(file: str) -> ModuleType:
    """Return the macros of a file as functions from the arguments' SQL to theirs."""
    return environment().from_string((DBT / "macros" / f"{file}.sql").read_text(encoding="utf-8")).module
