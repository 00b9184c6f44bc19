"""The words of the report, each in a sentence or two: the one source of the glossary page, its links and docs/glossary.md.

`python -m forecasting.report.glossary` prints docs/glossary.md.
"""

import re
from dataclasses import dataclass
from html import escape

from forecasting.report.html import paragraph, tag
from forecasting.wording import SPACE

PAGE = "glossary.html"


@dataclass(frozen=True)
class Term:
    """A word with its meaning (plain text, without a full stop at the end).

    `also` are other words for the same, `spelled` other forms of the word, which only lead here.
    """

    name: str
    meaning: str
    also: tuple[str, ...] = ()
    spelled: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The id of its entry on the page."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS = (
    Term("actual", "what really happened in a closed month", spelled=("actuals",)),
    Term(
        "back-test",
        "a forecast made afterwards with only what was known at a past cutoff, to see how good it would have "
        "been; it walks forward from cutoff to cutoff and was never published",
        ("walk-forward",),
        spelled=("backtest",),
    ),
    Term(
        "backfill",
        "what would have been published at the end of a past month, made later from what was known then; it is shown and counted "
        "apart from what was published",
        spelled=("backfilled",),
    ),
    Term("bias", "the mean of prediction − actual: above zero means that the forecasts are too high"),
    Term(
        "bridge",
        "the steps from the last forecast to this one: new actuals, restated ones, another model, what people changed",
    ),
    Term("challenger", "the best of the models that are not champion"),
    Term("champion", "the model whose forecasts are published, one per domain"),
    Term("choice regret", "by how many % the chosen forecast's error is above that of another choice, at past origins"),
    Term("closed month", "a whole month of facts; the running month is never used", spelled=("last closed month",)),
    Term(
        "combination",
        "a forecast made of the other models' forecasts: their median, or between it and a mean that weighs the better "
        "ones more",
    ),
    Term(
        "conformal interval",
        "an interval whose width comes from errors really made out of sample, not from a model's own assumptions "
        "(Vovk, Gammerman and Shafer 2005)",
    ),
    Term("cost of sales", "what the goods that were sold had cost: net sales − profit before operating expenses"),
    Term(
        "coverage",
        "the share of actuals that fell inside an interval: an 80 % interval should hold about 80 % of them",
    ),
    Term(
        "CRPS",
        "continuous ranked probability score: the loss of a whole forecast distribution, not of its point alone; "
        "scaled: divided by the mean absolute actual (Rangapuram et al. 2021)",
        ("scaled CRPS",),
    ),
    Term("cutoff", "the last month known when a forecast is made"),
    Term(
        "Diebold–Mariano test",
        "whether one model's errors are smaller than another's by more than luck (Diebold and Mariano 1995; "
        "Harvey, Leybourne and Newbold 1997)",
    ),
    Term("domain", "sales, inventory or profit"),
    Term(
        "edition",
        "the report as it was made from the facts up to one month; earlier ones are kept and linked from the "
        "first page",
    ),
    Term(
        "fallback",
        "the seasonal naive, or the mean, where a series is too short for the model or the model gives no finite "
        "number; in its first year a series gets the season and growth of those like it, at its own level; always flagged",
    ),
    Term(
        "FVA",
        "the seasonal naive's mean absolute error − the model's: how much better than the simplest forecast it "
        "is; below zero it is worse. Of overrides, the model's mean absolute error − theirs",
        ("forecast value added",),
    ),
    Term(
        "gate",
        "what the challenger must show to replace the champion, at a first run the weighted combination: a least improvement "
        "beyond luck, without losing much in bias, coverage or stability",
    ),
    Term(
        "held out",
        "the last two cutoffs of the back-test, which chose no model and are quoted for that reason; they can "
        "only veto",
        spelled=("held-out", "held-out cutoffs"),
    ),
    Term("horizon", "how many months ahead of its cutoff a forecast reaches"),
    Term(
        "imputed month",
        "a month without facts inside a series: 0 for a flow, carried forward for a stock, always flagged",
        spelled=("imputed",),
    ),
    Term("incumbent", "the champion before a run, which the challenger is measured against"),
    Term(
        "interval",
        "the range that should hold the actual: eight of ten actuals lie in the 80 % range, nineteen of twenty in"
        " the 95 % range",
        ("range",),
        spelled=("80 % interval", "95 % interval", "80 % range", "95 % range", "intervals"),
    ),
    Term(
        "lag",
        "how many months before its month a published forecast was made: at lag 3, what was said of June from "
        "data up to March",
    ),
    Term(
        "luck",
        "what the best of several equally good models leads the others by, for no reason but chance; the gate takes it off a "
        "challenger's lead",
    ),
    Term(
        "MAE",
        "by how much the forecasts miss on average, whichever way, in the unit of the numbers",
        ("mean absolute error",),
    ),
    Term(
        "MASE",
        "mean absolute error, scaled by the seasonal naive's error in the history (by the mean monthly change, if"
        " larger, under two years of history): below 1 is better than that naive was (Hyndman and Koehler 2006)",
        ("mean absolute scaled error",),
    ),
    Term(
        "median forecast",
        "the middle of what is thought possible: the actual is as likely above it as below it; every forecast "
        "that is shown is a median, and sums of them are sums of medians",
        spelled=("median",),
    ),
    Term("naive", "the forecast that repeats the last month"),
    Term(
        "override",
        "what a person wants instead of the model's forecast, with a reason and until when; it stands beside the forecast, the sums "
        "agree with it, and both are scored",
        spelled=("overrides",),
    ),
    Term(
        "reconciliation",
        "making the forecasts of series, regions, categories and the total agree, so that every sum is the sum of"
        " its series",
    ),
    Term(
        "restated",
        "said of an actual that changed after it was first known; forecasts are judged by what was first known",
    ),
    Term(
        "run",
        "one forecast of one domain from one state of the facts; its run id follows from its data, settings and code",
    ),
    Term(
        "SCUM",
        "the median of ETS, CES, ARIMA and the dynamic optimised Theta method, a strong simple ensemble "
        "(Petropoulos and Svetunkov 2020)",
    ),
    Term("seasonal naive", "the forecast that repeats the same month of last year; every model is compared with it"),
    Term("series", "one region and product category of a domain (`unique_id`)"),
    Term(
        "sMAPE",
        "the mean of the absolute error in % of the mean of actual and forecast, from 0 to 200",
        ("symmetric mean absolute percentage error",),
    ),
    Term(
        "stability",
        "how far the forecast for the same month moves from one month's report to the next, in errors of the seasonal "
        "naive in the history: 0 never moves, 1 moves as far as repeating last year misses (the mean absolute scaled change of "
        "Godahewa et al. 2025)",
        ("MASC", "mean absolute scaled change"),
    ),
    Term(
        "stock cover",
        "how many months the stock would last: its value at cost at the end of a month ÷ the mean expected cost "
        "of sales of the three months after it",
    ),
    Term(
        "tracking signal",
        "the sum of a forecast's errors ÷ their mean absolute size: beyond about ±4 the forecast leans to one "
        "side by more than chance",
    ),
    Term("variance", "the actual − the forecast made for it; in % of the forecast's size"),
    Term(
        "veto",
        "where the model chosen does not beat the seasonal naive on the held-out cutoffs, the seasonal naive is used",
    ),
    Term(
        "WAPE",
        "the sum of absolute errors in % of the sum of absolute actuals",
        ("weighted absolute percentage error",),
    ),
    Term("workspace", "one company's tables, runs and champions, by its NAME"),
    Term(
        "WQL",
        "the scaled CRPS over the levels 0.1 … 0.9 alone, as forecasting benchmarks quote it",
        ("weighted quantile loss",),
    ),
)
KNOWN = {word.lower(): entry for entry in TERMS for word in (entry.name, *entry.also, *entry.spelled)}


def term(name: str, text: str | None = None) -> str:
    """Return a link to a term's entry, which reads `text` (plain) or else the name as it was asked for.

    Raises
    ------
    KeyError
        If the glossary does not know the term.
    """
    entry = KNOWN.get(name.lower())
    if entry is None:
        raise KeyError(f"The glossary knows no «{name}»: add it to TERMS, or use one of {', '.join(sorted(KNOWN))}.")
    return f'<a class="term" href="{PAGE}#{entry.anchor}">{written(name if text is None else text)}</a>'


def written(text: str) -> str:
    """Return plain text as HTML that keeps numbers and their % together."""
    return escape(text).replace(" %", f"{SPACE}%")


def others(entry: Term) -> str:
    """Return the other words for a term in brackets, or nothing."""
    return f" ({', '.join(entry.also)})" if entry.also else ""


def page() -> str:
    """Return the glossary: every term with its meaning, in the order of the alphabet."""
    lead = paragraph("The words of this report, in a sentence or two each.", "lead")
    return tag("h1", "Glossary") + lead + tag("dl", "".join(map(definition, TERMS)), "glossary")


def definition(entry: Term) -> str:
    """Return a term and its meaning as HTML; what stands between backticks is code."""
    same = " " + tag("small", escape(others(entry).strip())) if entry.also else ""
    meaning = re.sub("`(.+?)`", r"<code>\1</code>", written(entry.meaning[0].upper() + entry.meaning[1:]))
    return tag("dt", escape(entry.name) + same, id=entry.anchor) + tag("dd", meaning + ".")


def markdown() -> str:
    """Return the same for those who read the repository."""
    rows = [f"| **{entry.name}**{others(entry)} | {entry.meaning} |" for entry in TERMS]
    source = "The text of the report's glossary page, written by `python -m forecasting.report.glossary`."
    return "\n".join(["# Glossary", "", source, "", "| term | meaning |", "| --- | --- |", *rows, ""])


if __name__ == "__main__":
    print(markdown(), end="")
