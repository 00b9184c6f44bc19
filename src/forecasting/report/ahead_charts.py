"""Charts by months ahead: how far the model in use, repeating last year and the best other model missed, and what their ranges held."""

from html import escape

import pandas as pd

from forecasting import plots
from forecasting.ledger import Domain
from forecasting.models import model_name
from forecasting.report import provenance
from forecasting.report.champion import BASELINE
from forecasting.report.glossary import term
from forecasting.report.html import Chart, tag
from forecasting.report.labelled_lines import Line, figure_by_months_ahead, percent_axis
from forecasting.report.periods import span
from forecasting.report.rival import best_other, held_out
from forecasting.report.track_record import Coverage, Measures
from forecasting.wording import count, listing, share

LAST_YEAR = "repeating last year"
LEVELS = (80, 95)


def missed(rows: pd.DataFrame) -> float | None:
    """Return the error of rows of `Published.by_months_ahead` in shares of what came; None where that was 0."""
    size = rows["size"].sum()
    return float(rows["error"].sum() / size) if size > 0 else None


def shown_models(domain: Domain) -> list[str]:
    """Return the models that are drawn, the one in use first: it, the seasonal naive, and the best other one."""
    return list(dict.fromkeys(filter(None, [domain.champion, BASELINE, best_other(domain)])))


def error_chart(domain: Domain, found: pd.DataFrame) -> list[str | Chart]:
    """Return a title and a chart of the errors by months ahead; nothing where none can be measured.

    `found` are rows of `Published.by_months_ahead` of the models that are shown.
    """
    by_model = {name: found[found["model_name"] == name] for name in shown_models(domain)}
    whole = {name: missed(rows) for name, rows in by_model.items()}
    if whole[domain.champion] is None:
        return []
    dashes = {domain.champion: "solid", BASELINE: "dash"}
    lines = [
        Line(
            LAST_YEAR if name == BASELINE else model_name(name),
            [int(ahead) for ahead in rows["horizon"]],
            [share_of(error, size) for error, size in zip(rows["error"], rows["size"], strict=True)],
            plots.FORECAST if name == domain.champion else plots.GREY,
            dashes.get(name, "dot"),
            name == domain.champion,
        )
        for name, rows in by_model.items()
        if len(rows)
    ]
    chart = Chart(
        figure_by_months_ahead(domain, lines, percent_axis(lines), 300),
        f"ahead-{domain.name}",
        f"{domain.title}: error by months ahead. " + "; ".join(map(in_words, lines)) + ".",
        error_caption(domain, found),
    )
    return [tag("h4", error_title(domain, whole)), chart]


def share_of(part: float, whole: float) -> float | None:
    """Return a share with as many digits as a chart shows, None of nothing."""
    return round(part / whole, 4) if whole > 0 else None


def error_title(domain: Domain, whole: dict[str, float | None]) -> str:
    """Say how far each model missed over all months ahead together."""
    mine, others = whole[domain.champion], {name: value for name, value in whole.items() if name != domain.champion}
    text = f"Tried on past months: {in_use(domain)} missed by {share(mine)}"
    parts = [
        f"{LAST_YEAR if name == BASELINE else f'the best other model ({escape(model_name(name))})'} by {share(value)}"
        for name, value in others.items()
        if value is not None
    ]
    return ", ".join([text, *parts])


def in_use(domain: Domain) -> str:
    """Name the model in use (HTML)."""
    if domain.champion == BASELINE:
        return f"{LAST_YEAR}, which makes the forecast,"
    return f"the model in use ({escape(model_name(domain.champion))})"


def in_words(line: Line) -> str:
    """Write a line's values for those who do not see it."""
    values = [
        f"{count(ahead, 'month')} {share(value)}"
        for ahead, value in zip(line.x, line.y, strict=True)
        if value is not None
    ]
    return f"{line.name}: {', '.join(values)}"


def error_caption(domain: Domain, found: pd.DataFrame) -> str:
    """Say what the chart measures and on what."""
    rows, n = held_out(domain), int(found.groupby("model_name")["n"].sum().max())
    cutoffs = f"{count(int(rows['n_cutoffs'].max()), 'cutoff')} ({span([rows['first_cutoff'].min(), rows['last_cutoff'].max()])})"
    sample = provenance.sample(rows)
    return (
        f"By months ahead: the errors of all single series together in % of what came ({term('WAPE')}), lower is better. Made as if at "
        f"the {cutoffs} {term('held out')}, which chose no model; {count(n, 'forecast')} of each model. "
        f"{LAST_YEAR.capitalize()} is the {term('seasonal naive')}.{f' {sample}' if sample else ''}"
    )


def coverage_chart(domain: Domain, found: list[Measures], record: str, made: str) -> list[str | Chart]:
    """Return a title and a chart of how many actuals lay inside the 80 % and the 95 % range, beside what the ranges say.

    `found`: the measures of all single series together by months ahead; `record` begins the chart's name, `made` says which forecasts.
    """
    if not found:
        return []
    held = {level: [covered(one, level) for one in found] for level in LEVELS}
    lines = [
        Line(f"{level} % range", [one.lag for one in found], [round(one.share, 4) for one in held[level]], plots.FORECAST,
             "solid" if level == 80 else "dash", accent=True)
        for level in LEVELS
    ]  # fmt: skip
    low = min(value for line in lines for value in line.y)
    floor = next((floor for floor in (0.65, 0.5) if low > floor), 0.0)
    ticks = (
        [0.0, 0.2, 0.4, 0.6, 0.8, 0.95] if floor == 0 else [tick for tick in (0.5, 0.65, 0.8, 0.95) if tick >= floor]
    )
    axis = {"tickmode": "array", "tickvals": ticks, "ticktext": [share(tick, 0) for tick in ticks], "hoverformat": ".1%",
            "range": [floor, 1.03]}  # fmt: skip
    figure = figure_by_months_ahead(domain, lines, axis, 270)
    for level in LEVELS:
        figure.add_shape(type="line", x0=found[0].lag - 0.3, x1=found[-1].lag + 0.3, y0=level / 100, y1=level / 100,
                         line={"color": plots.GREY, "width": 1.2, "dash": "dot"})  # fmt: skip
    whole = {level: sum(one.inside for one in held[level]) / sum(one.n for one in held[level]) for level in LEVELS}
    title = f"Of what came, {share(whole[80], 0)} lay in the 80 % range and {share(whole[95], 0)} in the 95 % range"
    chart = Chart(
        figure,
        f"coverage-{record}-{domain.name}",
        spaced(f"{domain.title}: actuals inside the range by months ahead. " + "; ".join(map(in_words, lines)) + "."),
        coverage_caption(found, made),
    )
    return [tag("h4", spaced(title)), chart]


def covered(one: Measures, level: int) -> Coverage:
    """Return how many actuals lay in the range of a level."""
    return one.coverage_80 if level == 80 else one.coverage_95


def spaced(text: str) -> str:
    """Keep numbers and their % together."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def coverage_caption(found: list[Measures], made: str) -> str:
    """Say what the chart shows, and where the difference is more than chance."""
    text = (
        f"Single series together, {made}. The dotted lines are what the ranges say: 80 % and 95 % ({term('coverage')}). A line below its "
        "dotted one means ranges that are too narrow, above it ranges that are wider than need be. The axis does not begin at 0."
    )
    beyond = [
        f"the {level} % range is too {side} {listing(list(map(str, places)))} {'month' if places == [1] else 'months'} ahead"
        for level in LEVELS
        for side in ("narrow", "wide")
        if (places := [one.lag for one in found if covered(one, level).verdict == side])
    ]
    known = any(covered(one, level).verdict != "unknown" for one in found for level in LEVELS)
    if beyond:
        return spaced(f"{text} By more than chance, {listing(beyond)}.")
    return spaced(
        f"{text} {'No difference is more than chance.' if known else 'So few months cannot tell a difference from chance.'}"
    )
