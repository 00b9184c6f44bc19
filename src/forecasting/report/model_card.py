"""The model card: for each domain what forecasts it, why, from what, how sure it is, and what it cannot know."""

from html import escape

import pandas as pd

from forecasting.contracts import DOMAINS
from forecasting.ledger import Domain, at
from forecasting.models import about
from forecasting.report import champion, explanation, provenance
from forecasting.report.glossary import term
from forecasting.report.html import bullets, facts, fold, note, paragraph, table, tag
from forecasting.report.intervals_table import intervals
from forecasting.wording import count, is_known, listing, month, number, percent, share

EVERYWHERE = ("horizon", "min_train_months", "n_cutoffs", "n_calibration", "allow_negative", "gate_metric")
TESTED = {
    "better": "better by more than luck",
    "worse": "worse by more than bad luck",
    "no clear difference": "no clear difference",
}


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title, what it is about, and links to its sections."""
    shown = [domain for domain in domains.values() if domain]
    links = listing([f'<a href="#{domain.name}">{domain.name}</a>' for domain in shown])
    text = "Which model makes each forecast, how it was chosen, what it learned from, and what it cannot know."
    return tag("h1", "Model card") + paragraph(text, "lead") + (note(f"Sections: {links}.") if shown else "")


def sections(domains: dict[str, Domain | None]) -> str:
    """Return one section per domain; a sentence for one that has no forecasts."""
    return "".join(section(name, domains.get(name)) for name in DOMAINS)


def section(name: str, domain: Domain | None) -> str:
    """Return the card of one domain."""
    heading = tag("h2", name.capitalize(), id=name)
    if domain is None:
        return heading + paragraph("No facts came in for it, or nothing has been published.")
    parts = [
        ("The model", champion.champion_text(domain) + champion.evidence(domain)),
        ("What it was compared with", compared(domain)),
        ("What it learned from", learned_from(domain)),
        (
            "What is inside",
            explanation.inside(domain.champion, domain.manifest.explanation.model, horizon(domain)) + set_to(domain),
        ),
        ("Intervals and sums", intervals(domain)),
        ("What it cannot know", limits(domain)),
        ("Which run, data and model made this", provenance.manifest(domain) + steps(domain)),
    ]
    return heading + "".join(tag("h3", title) + content for title, content in parts)


def horizon(domain: Domain) -> int:
    """Return how many months ahead the run forecast."""
    return int(domain.future["horizon"].max()) if len(domain.future) else 0


def compared(domain: Domain) -> str:
    """Return the leaderboard: every model on the cutoffs that chose and on those held out, and the test against last year."""
    rows = domain.accuracy[domain.accuracy["forecast_kind"] == "walk_forward"]
    if rows.empty:
        return paragraph(
            "There is no back-test: the history is too short to hold months back, so nothing was compared."
        )
    board = leaderboard(domain, rows)
    cells = [
        [
            champion.labelled(row["model_name"], row["model_name"] == domain.champion),
            number(row["choice"], 3),
            number(row["held_out"], 3),
            number(row["masc"], 2),
            percent(row["gain"], 0, plus=True),
            share(row["total"]),
            escape(verdict(domain, row["model_name"])),
        ]
        for row in board.to_dict("records")
    ]
    head = [
        "Model",
        "MASE, cutoffs that chose",
        "MASE, held out",
        "Stability, held out",
        "Better than last year",
        "WAPE of the total",
        "Against last year",
    ]
    sample = provenance.sample(rows)
    of = "a sample of series" if sample else "all series"
    caption = f"Every model in the back-test, over {of} and months ahead; the best on the cutoffs that chose first"
    text = (
        f"By {term('MASE')} over {of}: below 1 is better than repeating last year was in the history. The models were "
        f"compared on {provenance.cutoffs(domain, 'choice')}; the cutoffs {term('held out')}, "
        f"{provenance.cutoffs(domain, 'held_out')}, chose nothing and are what to expect. «Better than last year» is the gain "
        f"over the {term('seasonal naive')} there, the last column the {term('Diebold–Mariano test')} against it. {term('Stability')} is "
        "how far the forecast of a month moved from one month to the next, in typical errors. More measures "
        f'are in <a href="accuracy.html#backtest-{domain.name}">Accuracy over time</a>.'
        f"{f' {sample} The champion was chosen by all series.' if sample else ''}"
    )
    missing = "cannot be computed, or not compared"
    return paragraph(text) + table(head, cells, caption, (0, 6), missing, sortable=True)


def leaderboard(domain: Domain, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model: model_name, choice and held_out (MASE over the series), masc, gain (%), total (WAPE, held out).

    `rows` are the walk-forward rows of `forecast_accuracy`. The gain is on the seasonal naive's MASE, both held out.
    """
    whole = rows[rows["horizon_group"] == "all"]
    wide = at(whole, "series").pivot(index="model_name", columns="evaluation_set", values="mase")
    wide = wide.reindex(columns=["choice", "held_out"])
    naive = wide["held_out"].get(champion.BASELINE)
    gain = 100 * (1 - wide["held_out"] / naive) if is_known(naive) and naive > 0 else float("nan")
    held_out = whole[whole["evaluation_set"] == "held_out"]
    total = at(held_out, "total").set_index("model_name")["wape"]
    masc = at(held_out, "series").set_index("model_name")["masc"]
    board = wide.assign(masc=masc, gain=gain, total=total).reset_index()
    return board.sort_values(["choice", "model_name"], na_position="last", ignore_index=True)


def verdict(domain: Domain, name: str) -> str:
    """Write what the Diebold–Mariano test found of a model against the seasonal naive."""
    if name == champion.BASELINE:
        return "is last year"
    found = {
        test["model"]: test["verdict"] for test in domain.manifest.significance if test["against"] == champion.BASELINE
    }
    return TESTED.get(found[name], found[name]) if name in found else "not tested"


def learned_from(domain: Domain) -> str:
    """Return the training span, the series and the cutoffs."""
    series, params = at(domain.actuals, "series"), domain.manifest.params
    nodes = {level: at(domain.actuals, level)["unique_id"].nunique() for level in ("region", "category")}
    rows = domain.accuracy[domain.accuracy["forecast_kind"] == "walk_forward"]
    pairs = [
        ("Measure", escape(f"{domain.measure}{f' in {domain.unit}' if domain.unit else ''}, by month")),
        ("Months", f"{month(series['ds'].min())} to {month(series['ds'].max())} ({number(series['ds'].nunique())})"),
        ("Series", number(domain.n_series)),
        (
            "Sums, forecast like series",
            f"{count(nodes['region'], 'region')}, {count(nodes['category'], 'category', 'categories')}, the total",
        ),
        ("Cutoffs that chose", "no back-test" if rows.empty else provenance.cutoffs(domain, "choice")),
        ("Cutoffs held out", "no back-test" if rows.empty else provenance.cutoffs(domain, "held_out")),
    ]
    if params.get("n_calibration") is not None and len(rows):
        pairs.append(("Earlier cutoffs, for the intervals only", f"up to {number(params['n_calibration'])}"))
    trained = domain.manifest.trained
    learned = (
        "all of these months" if not domain.manifest.keeps_models
        else f"the months up to {month(trained.cutoff)}, is kept since and forecasts from all of them"
    )  # fmt: skip
    return facts(pairs) + note(
        f"The model that forecasts learned from {learned}; in the back-test from those up to each cutoff."
    )


def set_to(domain: Domain) -> str:
    """Return the settings of the champion, and those of the run that bear on it, folded."""
    params = domain.manifest.params
    own = {key: params[key] for key in about(domain.champion).parameters if key in params}
    shared = {key: params[key] for key in EVERYWHERE if key in params}
    rows = [*provenance.settings(own), *provenance.settings(shared)]
    if not rows:
        return ""
    cells = [[f"<code>{escape(key)}</code>", escape(value)] for key, value in rows]
    body = table(["Setting in params/", "Value"], cells, "Settings of the model and of its back-test", range(2))
    return fold("Settings", body)


def limits(domain: Domain) -> str:
    """Return what the model cannot know, and which series it does not really forecast."""
    items = [
        "It knows past months and the calendar, nothing else: no promotions, price changes, new or lost customers, orders in hand "
        "or closures, unless their like is in the past.",
        "It holds while the coming months resemble the past ones. After a break it needs some months to follow, and its "
        "intervals, made from past errors, are too narrow until then.",
        f"It looks {count(horizon(domain), 'month')} ahead. A month that has not closed yet is not used.",
        *series_limits(domain),
        *interval_limits(domain),
        track_limit(domain),
    ]
    return bullets(items)


def series_limits(domain: Domain) -> list[str]:
    """Say how many series rest on a fallback, have ended or are short; nothing where none do."""
    check = domain.manifest.check
    rows = check.tables.get("series", [])
    status = check.statuses or pd.Series([row.get("status") for row in rows], dtype=object).value_counts()
    series = at(domain.future, "series")
    fallback = series.loc[series["is_fallback"].astype(bool), "unique_id"].nunique()
    if many := domain.in_sight.get("series"):
        fallback = many.n_fallback
    of = f"of {count(domain.n_series, 'series', 'series')}"
    found = []
    if fallback:
        found.append(
            f"{number(fallback)} {of} {'rests' if fallback == 1 else 'rest'} on a {term('fallback')}: too short for the model (the same "
            "month of last year, the mean, or in its first year the season of those like it at its own level), or ended (0)."
        )
    if status.get("ended"):
        n = int(status["ended"])
        found.append(
            f"{number(n)} {of} {'has' if n == 1 else 'have'} ended: nothing for twelve months. A return is not foreseen."
        )
    young = int(status.get("short", 0))
    if young:
        found.append(
            f"{number(young)} {of} {'has' if young == 1 else 'have'} less than two years of history, too little to know a season."
        )
    return found


def interval_limits(domain: Domain) -> list[str]:
    """Say where intervals rest on few errors; nothing where they do not."""
    fewest = domain.pools["n"].min()
    if pd.isna(fewest) or fewest >= 39:
        return []
    return [
        f"Some intervals rest on {count(int(fewest), 'error')} only. Below 39 the outer bounds of a 95\N{NO-BREAK SPACE}% "
        "interval are rough."
    ]


def track_limit(domain: Domain) -> str:
    """Say whether published forecasts have been tried by what came."""
    link = f'<a href="accuracy.html#{domain.name}">Accuracy over time</a>'
    if domain.has_history:
        return f"How its published forecasts have fared is in {link}."
    return f"No published forecast has met its month yet: all that is known is a {term('back-test')}. See {link}."


def steps(domain: Domain) -> str:
    """Return how long each notebook of the run took, folded; nothing where the run did not note it."""
    seconds = domain.manifest.seconds
    if not seconds:
        return ""
    cells = [[f"<code>{escape(name)}</code>", number(value, 1)] for name, value in sorted(seconds.items())]
    cells.append(["All", number(sum(value for value in seconds.values() if is_known(value)), 1)])
    return fold(
        "Seconds per step",
        table(["Step", "Seconds"], cells, "How long each notebook of the run took", total=True),
        "screen",
    )
