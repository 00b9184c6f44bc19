"""The benchmark's page: how the models do on public forecasting competitions, beside the published record."""

from html import escape

import pandas as pd

from forecasting.benchmark import CHAMPION, DECIMALS, PRINTED, REFERENCES, beside, best_published
from forecasting.competitions import SOURCES
from forecasting.models import model_name
from forecasting.report.html import bullets, facts, note, paragraph, table, tag
from forecasting.wording import count, day, number, percent

INSIDE = {"coverage_80": "Inside 80 %", "coverage_95": "Inside 95 %"}
UNKNOWN = "was not published"
TERMS = [
    ("sMAPE, MAPE", "the mean error in % of the mean of actual and forecast (0 to 200), or of the actual"),
    ("MASE", "the mean error in units of that of repeating last year in the training part"),
    (
        "WQL",
        "the weighted quantile loss over the levels 0.1 to 0.9: the whole distribution is scored, not the point alone",
    ),
    ("Inside 80 %, inside 95 %", "how many actuals lay inside the interval; it should be near 80 % and 95 %"),
    ("SCUM", "the median of ETS, CES, ARIMA and the dynamic optimised Theta method (Petropoulos and Svetunkov 2020)"),
    (
        "Seconds",
        "training included: of a model, those of its own work; of the chosen forecast and the combinations, by the clock, of everything "
        "they needed, with work side by side",
    ),
]


def header() -> str:
    """Return the page's title and what it shows."""
    return tag("h1", "Accuracy on forecasting competitions") + paragraph(
        "The same model code that makes this company's forecasts, on public sets of monthly series whose outcomes are "
        "known. The models, their settings and the choice among them saw the training parts alone.",
        "lead",
    )


def answers(results: pd.DataFrame) -> str:
    """Return how the chosen forecast does on each set, in a sentence."""
    chosen = results[results["model"] == CHAMPION].to_dict("records")
    return bullets([answer(row) for row in chosen])


def answer(row: dict) -> str:
    """Say how good the chosen forecast is on one set, and how good the best published one is."""
    parts = []
    for name in ("mase", "smape", "mape", "wql"):
        best = best_published(row["dataset"], name)
        if best is not None:
            mine, theirs = (number(value, DECIMALS[name]) for value in (row[name], best[name]))
            parts.append(f"{PRINTED[name]} {mine} (best published {theirs}, {escape(best['method'])})")
    inside = f"{percent(row['coverage_80'])} and {percent(row['coverage_95'])} of the actuals lay inside its intervals"
    title = SOURCES[row["dataset"]].title
    return f"<strong>{title}</strong>: {', '.join(parts)}. {inside} of {percent(80, 0)} and {percent(95, 0)}."


def sections(results: pd.DataFrame) -> str:
    """Return the table of each set, in their order, then what the measures mean and where the published figures are from."""
    found = [name for name in SOURCES if (results["dataset"] == name).any()]
    words = [(name, escape(text)) for name, text in (*TERMS, *REFERENCES.items())]
    return "".join(section(results, name) for name in found) + facts(words)


def section(results: pd.DataFrame, dataset: str) -> str:
    """Return one set: what it is, and every model measured here beside what was published."""
    source = SOURCES[dataset]
    what = f"{count(source.n_series, 'series', 'series')}, {source.horizon} months ahead ({escape(source.paper)})."
    rows = [cells(row) for row in beside(results, dataset).to_dict("records")]
    head = ["Forecast", *PRINTED.values(), *INSIDE.values(), "Seconds", "Source"]
    caption = f"{source.title}: measured here and published, the lowest MASE first"
    shown = table(head, rows, caption, text=(0, len(head) - 1), missing=UNKNOWN)
    return tag("h2", source.title) + note(what) + shown


def cells(row: dict) -> list[str]:
    """Return one row of a set's table."""
    method = escape(row["method"])
    return [
        f"<strong>{method}</strong>" if row["model"] == CHAMPION else method,
        *figures(row),
        escape(row["source"]),
    ]


def figures(row: dict) -> list[str]:
    """Return the measures and seconds of a row."""
    measured = [number(row[name], DECIMALS[name]) for name in PRINTED]
    return [*measured, *(percent(row[name]) for name in INSIDE), number(row["seconds"])]


def regrets(table_: pd.DataFrame) -> str:
    """Return what choosing lost on each set; nothing where it was not measured."""
    if table_.empty:
        return ""
    rows = [
        [
            escape(title_of(row["dataset"])),
            number(row["n_series"]),
            number(row["n_origins"]),
            number(row["mase"], 3),
            *(number(row[name], 1, plus=True) for name in ("median_pct", "weighted_pct", "best_pct")),
            escape(model_name(row["best"])),
        ]
        for row in table_.to_dict("records")
    ]
    text = (
        "At each of several past origins a model is chosen as at a company's first run, from what was known then. The figures say by "
        "how many % the error (MASE, six months ahead) of what was chosen is above that of the median combination, of the weighted "
        "one, and of the candidate that was best in hindsight, which nobody could know; below 0 it is smaller. All of it happens "
        "inside the training parts and on companies' data."
    )
    head = [
        "Set",
        "Series",
        "Origins",
        "MASE",
        "Against the median",
        "Against the weighted",
        "Against the best",
        "Which was",
    ]
    shown = table(head, rows, "What choosing lost, in % of the error", text=(0, len(head) - 1))
    return tag("h2", "Choice regret") + note(text) + shown


NETWORKS = {
    "zero_shot": "as it comes",
    "fine_tuned": "tuned to the set",
    "from_scratch": "networks trained from scratch",
    "fracast": "Fracast-0, which was trained on these sets too",
}


def networks(measured: pd.DataFrame) -> str:
    """Return how the networks do by themselves; nothing where it was not measured."""
    if measured.empty:
        return ""
    rows = [
        [escape(title_of(row["dataset"])), escape(NETWORKS.get(row["model"], row["model"])), *figures(row)]
        for row in measured.to_dict("records")
    ]
    text = (
        "The pretrained network by itself, without calibration, combination or choice; of each set the one that has never seen it. As it "
        "comes it forecasts a set in one pass."
    )
    head = ["Set", "Network", *PRINTED.values(), *INSIDE.values(), "Seconds"]
    return tag("h2", "The network by itself") + note(text) + table(head, rows, "Networks by themselves", text=(0, 1))


def title_of(dataset: str) -> str:
    """Return the title of a competition set, or the name of a company and its domain."""
    return SOURCES[dataset].title if dataset in SOURCES else dataset[:1].upper() + dataset[1:]


def history(log: pd.DataFrame) -> str:
    """Return every scoring of a test part so far, the latest first."""
    if log.empty:
        return paragraph("No scoring of a test part has been logged.")
    rows = [
        [
            day(row["date"]),
            f"<code>{escape(short(row['commit']))}</code>",
            SOURCES[row["dataset"]].title,
            "the network as it comes" if row["model"] == "zero_shot" else "the chosen forecast",
            *figures(row),
        ]
        for row in log.iloc[::-1].to_dict("records")
    ]
    head = ["Date", "Commit", "Set", "Forecast", *PRINTED.values(), *INSIDE.values(), "Seconds"]
    text = "A test part that is looked at often is learned by heart in the end. So every scoring is kept, good or bad."
    return note(text) + table(head, rows, "Every scoring, the latest first", text=(0, 1, 2, 3), tall=True)


def short(commit: str) -> str:
    """Return the first ten digits of a commit, and whether the code differed from it."""
    digits, plus, changes = commit.partition("+")
    return digits[:10] + plus + changes
