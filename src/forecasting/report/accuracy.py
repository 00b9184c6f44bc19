"""The page «Accuracy over time»: what was published against what came, and, kept apart from it, the back-test."""

from collections.abc import Iterable
from html import escape

import pandas as pd
from IPython.display import HTML

from forecasting.ledger import Domain, Published, at
from forecasting.models import about, model_name
from forecasting.report import (
    ahead_charts,
    backfilled,
    known_now,
    many,
    overridden,
    provenance,
    track_exceptions,
    track_paths,
    track_tables,
    walk_forward,
)
from forecasting.report.champion import labelled
from forecasting.report.glossary import term
from forecasting.report.html import Chart, fold, note, paragraph, table, tag
from forecasting.report.known_now import CENT
from forecasting.report.rival import why_not_first
from forecasting.report.track_chart import chart
from forecasting.report.track_record import ALL_LAGS, LAGS, Together, all_series, by_lag, load_record
from forecasting.wording import DASH, SPACE, Amounts, amounts_in, count, is_known, listing, month, number, share

OPEN_TABLES = {"total": "The total", "series": "Single series, on average"}
FOLDED_TABLES = {"region": "Regions, on average", "category": "Categories, on average"}
SETS = {"held_out": "Held out: not used to choose the model", "choice": "Used to choose the model"}


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title, what it keeps apart, and links to its sections."""
    shown = [domain for domain in domains.values() if domain]
    filled = [domain for domain in shown if backfilled.is_filled(domain)]
    sections = (
        ("What was published", "", shown),
        ("Backfilled", "backfill-", filled),
        (f"Tried on past months ({term('back-test')})", "backtest-", shown),
    )
    links = "".join(
        paragraph(
            f"{title}: " + ", ".join(f'<a href="#{prefix}{domain.name}">{domain.name}</a>' for domain in those) + ".",
            "note",
        )
        for title, prefix, those in sections
        if those
    )
    text = (
        "How good the forecasts were that people really saw, and how good the models would have been before. These are "
        "two different things, so no figure on this page mixes them."
    )
    if filled:
        text = (
            "How good the forecasts were that people really saw; what would have been published in months before, made later from what was "
            "known then; and how good every model would have been. These are different things, so no figure on this page mixes them."
        )
    return tag("h1", "Accuracy over time") + paragraph(text, "lead") + (links + track_tables.reading() if shown else "")


def published_lead() -> str:
    """Say which forecasts the section is about."""
    return paragraph(
        "Every forecast that was published before, against what came. The months between the last month that it knew and the "
        f"month that it was made for are its {term('lag')}: 1, 3 and 6 months."
    )


def backtest_lead() -> str:
    """Say what a back-test is, and that it was not published."""
    return paragraph(
        f"What the models would have said in past months ({term('cutoff', 'cutoffs')}), knowing only what was known then: a "
        f"{term('back-test')}. Nothing of it was published. It compares models on many months at once; the published figures above show "
        "what people really got."
    )


def published_parts(published: str, domains: dict[str, Domain | None]) -> list[HTML | Chart]:
    """Return what the page shows of the published forecasts, in order: for each domain words, charts, and tables behind them."""
    parts: list[str | Chart] = []
    for domain in filter(None, domains.values()):
        whole = load_record(published, domain.name, ALL_LAGS, series=many.series_in_sight(domain))
        record = whole[whole["lag"].isin(LAGS)]
        parts.append(tag("h3", f"{domain.title}: published", id=domain.name) + track_text(domain, record))
        if len(record):
            every = all_series(published, domain, "published", ALL_LAGS)
            parts += charts(domain, whole, record, every)
            parts.append(track_figures(domain, record, every and [one for one in every if one.measures.lag in LAGS]))
            parts.append(overridden.helped(published, domain))
    return backfilled.shown(parts) or [HTML(paragraph("Nothing has been published yet."))]


def charts(
    domain: Domain, whole: pd.DataFrame, record: pd.DataFrame, every: list[Together] | None
) -> list[str | Chart]:
    """Return the charts of published forecasts with a title each: the paths, what came beside its ranges, how often these held.

    `whole` are the forecasts of every lag, `record` those of the lags of the tables; `every`: the series' measures, where they are many.
    """
    measured = by_lag(at(whole, "series")) if every is None else [one.measures for one in every]
    return [
        *track_paths.paths_chart(domain, whole),
        backfilled.inside(record),
        chart(domain, record),
        *ahead_charts.coverage_chart(domain, measured, "published", "as published so many months before"),
    ]


def track_text(domain: Domain, record: pd.DataFrame) -> str:
    """Say how good the published forecasts of the total were, or that none has met its month yet."""
    if not record.empty:
        return track_tables.answer(domain, record)
    coming = domain.future["ds"].min()
    when = "" if pd.isna(coming) else f" The first to do so is the one of {month(coming)}, once that month has closed."
    return paragraph(
        f"No published forecast of {domain.name} has met its month yet, so nothing can be said here.{when} "
        f"{until_then(domain)} all there is until then."
    )


def until_then(domain: Domain) -> str:
    """Name what there is of a domain while no published forecast has met its month, with its verb."""
    backtest = f'<a href="#backtest-{domain.name}">{{}}he back-test below</a>'
    if not backfilled.is_filled(domain):
        return f"{backtest.format('T')} is"
    return f'<a href="#backfill-{domain.name}">What was filled in</a> and {backtest.format("t")} are'


def track_figures(domain: Domain, record: pd.DataFrame, measured: list[Together] | None = None) -> str:
    """Return the tables of the published forecasts that have met their month; `measured`: of all series, where they are many."""
    folded = [
        fold(title, track_tables.lag_table(domain, record, level, f"{title}, by lag"), "screen")
        for level, title in (("region", "Regions together"), ("category", "Categories together"))
        if at(record, level)["unique_id"].nunique() > 1
    ]
    by_months = track_tables.lag_table(domain, record, "total", "The total, by lag") + track_tables.lag_table(
        domain, record, "series", "Single series together, by lag", measured
    )
    return (
        what_counts(domain, record)
        + known_now.section(domain, record)
        + fold("The figures by months ahead", by_months + "".join(folded))
        + track_tables.months_table(domain, record)
        + fold(
            "Which actuals left their interval",
            many.only_in_sight(domain) + track_exceptions.miss_tables(domain, record),
        )
        + fold("Which forecasts lean to one side", track_exceptions.leaning_table(domain, record))
    )


def what_counts(domain: Domain, record: pd.DataFrame) -> str:
    """Say what the figures count: first-known actuals, the last publication of a cutoff, and what was published late."""
    text = (
        f"Actuals count as they were first known; months that were {term('restated')} later change no figure here. Of what "
        "was published twice from the same months, the last publication counts."
    )
    known = at(record, "total").drop_duplicates("ds")[["ds", "actual"]].merge(at(domain.actuals, "total")[["ds", "y"]])
    changed = known[(known["actual"] - known["y"]).abs() > CENT]
    if len(changed):
        names = listing([month(ds, short=True) for ds in changed["ds"].tail(6)])
        text += f" The total was restated for {count(len(changed), 'month')}, the latest: {names}."
    ended = record["ds"] + pd.offsets.MonthBegin(1)
    late = record[record["published_at"] >= ended][["ds", "lag"]].drop_duplicates()
    if len(late):
        of = len(record[["ds", "lag"]].drop_duplicates())
        text += (
            f" {number(len(late))} of the {number(of)} forecasts (a month and a lag each) were published after their month "
            "had ended; they too knew only the months up to their cutoff."
        )
    return note(text)


def backtest_parts(published: str, domains: dict[str, Domain | None]) -> list[HTML | Chart]:
    """Return what the page shows of the back-test, which no figure of the published forecasts contains: charts, and tables behind them."""
    parts: list[str | Chart] = []
    for domain in filter(None, domains.values()):
        parts.append(tag("h3", f"{domain.title}: back-test", id=f"backtest-{domain.name}"))
        rows = Published(published).held_out(domain.name, many.series_in_sight(domain))
        measured = all_series(published, domain, "held_out", None)
        if len(rows):
            parts += tried_charts(published, domain, rows, measured)
        parts.append(tables(domain) + walk_forward.details(domain, rows, measured))
    names = {name for domain in filter(None, domains.values()) for name in domain.accuracy["model_name"]}
    return backfilled.shown([*parts, models_explained(names) if parts else ""])


def tried_charts(
    published: str, domain: Domain, rows: pd.DataFrame, measured: list[Together] | None
) -> list[str | Chart]:
    """Return the charts of the back-test with a title each: errors by months ahead, why the first is not in use, ranges, paths."""
    errors = Published(published).by_months_ahead(domain.name, ahead_charts.shown_models(domain))
    series = by_lag(at(rows, "series")) if measured is None else [one.measures for one in measured]
    return [
        *ahead_charts.error_chart(domain, errors),
        *ahead_charts.coverage_chart(domain, series, "held-out", "in the months held out"),
        *track_paths.paths_chart(domain, track_paths.tried(published, domain)),
    ]


def tables(domain: Domain) -> str:
    """Return why the first of the tables may not be in use, and the tables of every model in the back-test behind it."""
    if not (domain.accuracy["forecast_kind"] == "walk_forward").any():
        return paragraph("There is no back-test: the history is too short to hold months back.")
    folded = fold("Regions and categories, on average", one_set(domain, "held_out", FOLDED_TABLES), "screen")
    return (
        why_not_first(domain)
        + fold("Held out: every model in the months that chose no model", one_set(domain, "held_out") + folded)
        + fold("Used to choose: every model in the months before", one_set(domain, "choice"), "screen")
    )


def models_explained(names: Iterable[str]) -> str:
    """Return what each of these models is and what it is called in commands and files."""
    rows = [
        [labelled(name), escape(about(name).what or DASH), f"<code>{escape(name)}</code>"]
        for name in sorted(set(names), key=lambda name: model_name(name).lower())
    ]
    head = ["Model", "What it is", "In commands and files"]
    return fold("What the models are", table(head, rows, "The models", text=range(3)))


def one_set(domain: Domain, evaluation_set: str, shown: dict[str, str] = OPEN_TABLES) -> str:
    """Return the walk-forward accuracy of every model on one set of cutoffs, one table for each level `shown`."""
    rows = domain.accuracy
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == evaluation_set)]
    if rows.empty:
        return note(f"{SETS[evaluation_set]}: none; the history is too short.")
    found = [(title, at(rows, level)) for level, title in shown.items()]
    body = "".join(accuracy_table(domain, part, title) for title, part in found if len(part))
    sample = provenance.sample(rows) if "series" in shown else ""
    return note(f"Back-test of {cutoff_text(rows)}.{f' {sample}' if sample else ''}") + body


def cutoff_text(rows: pd.DataFrame) -> str:
    """Write the cutoffs and horizons of a table."""
    first, last, n = rows["first_cutoff"].min(), rows["last_cutoff"].max(), int(rows["n_cutoffs"].max())
    span = month(first, short=True) if first == last else f"{month(first, short=True)} to {month(last, short=True)}"
    return f"{count(n, 'cutoff')}, {span}, {horizons(rows)}"


def horizons(rows: pd.DataFrame) -> str:
    """Write which months ahead are in a table."""
    groups = sorted(set(rows["horizon_group"]) - {"all"})
    bounds = [int(part) for group in groups for part in group.split("-")]
    return f"{min(bounds)} to {max(bounds)} months ahead" if bounds else "all horizons"


def accuracy_table(domain: Domain, rows: pd.DataFrame, caption: str) -> str:
    """Return one row per model, the most accurate first."""
    groups = sorted(set(rows["horizon_group"]) - {"all"})
    mase = rows.pivot_table(index="model_name", columns="horizon_group", values="mase", aggfunc="first")
    whole = rows[rows["horizon_group"] == "all"].sort_values(["mase", "model_name"], na_position="last")
    amount = amounts_in(domain.unit, whole["bias"], whole["fva"])
    cells = [accuracy_row(row, mase, groups, amount) for row in whole.to_dict("records")]
    ahead = [f"MASE, months {group.replace('-', f'{SPACE}to{SPACE}')}" for group in groups]
    head = ["Model", "WAPE", "MASE", *ahead, "Stability", "Bias", "Inside 80 %", "Inside 95 %", "FVA", "Forecasts"]
    missing = "cannot be computed: every actual or every change on the year is 0"
    return table(head, cells, caption + amount.told("; bias and FVA"), missing=missing)


def accuracy_row(row: dict, mase: pd.DataFrame, groups: list[str], amount: Amounts) -> list[str]:
    """Return the row of one model."""
    by_group = [decimal(mase[g].get(row["model_name"])) for g in groups if g in mase] or [DASH] * len(groups)
    return [
        labelled(row["model_name"], row["is_champion"]),
        share(row["wape"]),
        decimal(row["mase"]),
        *by_group,
        decimal(row["masc"]),
        amount(row["bias"], plus=True),
        share(row["coverage_80"], 0),
        share(row["coverage_95"], 0),
        amount(row["fva"], plus=True),
        number(row["n"]),
    ]


def decimal(value: float | None) -> str:
    """Write a ratio with two decimals."""
    return number(value, 2) if is_known(value) else DASH
