"""The tables in docs/benchmark.md: written by the benchmark itself, so that it says what the last scoring found."""

from pathlib import Path

import pandas as pd

from forecasting.benchmark.comparison import DECIMALS, PRINTED, beside, best_of_sources
from forecasting.benchmark.results import REFERENCE
from forecasting.benchmark.scoring import CHAMPION
from forecasting.competitions import DEFAULT, SOURCES
from forecasting.errors import UserError

SHOWN = (CHAMPION, REFERENCE, "seasonal_naive", "")  # of the models; "" is what was published


def marks(dataset: str) -> tuple[str, str]:
    """Return the lines of the page between which one set's table stands."""
    return f"<!-- {dataset}: written by make benchmark -->", f"<!-- end of {dataset} -->"


def update(path: Path, results: pd.DataFrame) -> None:
    """Write the table of every set that has results and is run by default between its marks in the page.

    Raises
    ------
    UserError
        If the marks are not there.
    """
    text = path.read_text(encoding="utf-8")
    for dataset in DEFAULT:
        if (results["dataset"] == dataset).any():
            text = between(text, *marks(dataset), table(results, dataset), path.name)
    path.write_text(text, encoding="utf-8")


def between(text: str, begin: str, end: str, content: str, name: str) -> str:
    """Return a text with `content` between two marks."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise UserError(f"{name} lacks the lines «{begin}» and «{end}», between which the results are written.")
    return f"{before}{begin}\n\n{content}\n{end}{after}"


def table(results: pd.DataFrame, dataset: str) -> str:
    """Return one set's table: the chosen forecast, the references and the best of each published source."""
    source = SOURCES[dataset]
    rows = best_of_sources(beside(results, dataset))
    rows = rows[rows["model"].isin(SHOWN)]
    quoted = [name for name in PRINTED if rows.loc[rows["model"] == "", name].notna().any()]
    head = [f"{source.title} ({source.n_series:,} series, h = {source.horizon})", *(PRINTED[name] for name in quoted)]
    lines = [[*head, "inside 80 / 95 %", "seconds", "source"], ["---"] * (len(head) + 3)]
    lines += [cells(row, quoted) for row in rows.to_dict("records")]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def cells(row: dict, quoted: list[str]) -> list[str]:
    """Return one row's cells; what is not known is a dash, the chosen forecast is bold."""
    method = f"**{row['method']}**" if row["model"] == CHAMPION else row["method"]
    figures = ["–" if pd.isna(row[name]) else f"{row[name]:.{DECIMALS[name]}f}" for name in quoted]
    measured = row["model"] != ""
    inside = f"{row['coverage_80']:.1f} / {row['coverage_95']:.1f}" if measured else "–"
    return [method, *figures, inside, f"{row['seconds']:.0f}" if measured else "–", row["source"]]
