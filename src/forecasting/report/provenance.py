"""Which run, data and model made a page. No clock: the same inputs give the same page."""

import json
from html import escape
from typing import Any

import pandas as pd

from forecasting.ledger import Domain
from forecasting.models import model_name, with_names
from forecasting.report.html import facts, fold, note, table
from forecasting.run import Manifest
from forecasting.wording import DASH, month, number


def code(value: Any, length: int = 0) -> str:
    """Return an identifier in a fixed-width font, shortened to `length` characters where that is given."""
    text = "" if value is None else str(value)
    shown = text[:length] + "…" if length and len(text) > length else text
    return f"<code>{escape(shown)}</code>" if text else DASH


def cutoffs(domain: Domain, evaluation_set: str) -> str:
    """Write the cutoffs of the walk-forward back-test as months, «January 2023 to April 2023 (4)»."""
    rows = domain.accuracy
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == evaluation_set)]
    if rows.empty:
        return "none"
    first, last, n = rows["first_cutoff"].min(), rows["last_cutoff"].max(), int(rows["n_cutoffs"].max())
    return month(first) if first == last else f"{month(first)} to {month(last)} ({n})"


def sample(rows: pd.DataFrame) -> str:
    """Say on how many series rows of `forecast_accuracy` compare the models, where not on all; «» elsewhere."""
    some = rows[(rows["aggregation"] == "series") & (rows["n_series"] < rows["of_series"])]
    if some.empty:
        return ""
    n, of = (int(some[name].max()) for name in ("n_series", "of_series"))
    return f"Single series: measured on a sample of {number(n)} of {number(of)}, the same for every model."


def settings(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested parameters: {'a': {'b': 1}} is [('a.b', '1')]."""
    rows = []
    for key, value in sorted(values.items()):
        if isinstance(value, dict):
            rows += settings(value, f"{prefix}{key}.")
        else:
            rows.append(
                (
                    f"{prefix}{key}",
                    "not set" if value is None else value if isinstance(value, str) else json.dumps(value),
                )
            )
    return rows


def manifest(domain: Domain) -> str:
    """Return how the domain's latest run was made: identifiers, cutoffs, parameters, versions."""
    m = domain.manifest
    shown = facts(
        [
            ("Run", code(m.run_id)),
            ("Source of the facts", escape(m.source or DASH)),
            ("Data up to", month(m.cutoff)),
            ("Models learned from the months up to", learned(m)),
            ("Model", escape(model_name(domain.champion))),
            ("Cutoffs used to choose", cutoffs(domain, "choice")),
            ("Cutoffs held out", cutoffs(domain, "held_out")),
        ]
    )
    reason = with_names(m.champion.reason or DASH)
    return (
        shown
        + note(f"Why this model: {escape(reason)}")
        + fold("Everything needed to make it again", technical(m), "screen")
    )


def learned(m: Manifest) -> str:
    """Return up to which month the models learned, and in which run where that was an earlier one."""
    if not m.keeps_models:
        return month(m.trained.cutoff)
    return f"{month(m.trained.cutoff)}, in the run {code(m.trained.run_id)}; they are kept since"


def technical(m: Manifest) -> str:
    """Return what identifies data, code, parameters and packages, and where MLflow keeps each step."""
    prints = facts(
        [
            ("Workspace", escape(m.workspace or DASH)),
            ("Training set's fingerprint", code(m.fingerprint)),
            ("Lock of the packages", code(m.lock)),
            ("Git commit", code(m.git_commit) if m.git_commit else "none recorded"),
        ]
    )
    lists = [
        (
            "Code of the steps",
            ["Step", "Fingerprint"],
            [(name, value[:12]) for name, value in sorted(m.steps.items())],
        ),
        ("MLflow runs", ["Step", "Run id"], sorted(m.mlflow.items())),
        ("Parameters", ["Parameter", "Value"], settings(m.params)),
        ("Versions", ["Package", "Version"], sorted(m.versions.items())),
    ]
    tables = [
        table(head, [[escape(name), code(value)] for name, value in rows], title, text=range(2))
        for title, head, rows in lists
        if rows
    ]
    columns = f'<div class="columns">{"".join(tables)}</div>'
    return prints + columns + note(f"{DASH} means that the run did not record it.")


def runs(domains: dict[str, Domain | None]) -> str:
    """Return one row per domain: data, model and run."""
    rows = [
        [
            f'<a href="{d.name}.html">{escape(d.title)}</a>',
            escape(d.manifest.source or DASH),
            month(d.manifest.cutoff),
            code(d.manifest.fingerprint, 12),
            escape(model_name(d.champion)),
            code(d.manifest.run_id),
        ]
        for d in domains.values()
        if d
    ]
    head = ["Domain", "Source", "Data up to", "Data fingerprint", "Model", "Run"]
    more = note('Settings, versions and what every step took are in the <a href="model_card.html">model card</a>.')
    return table(head, rows, "What made this report", text=range(6), missing="not recorded by the run") + more
