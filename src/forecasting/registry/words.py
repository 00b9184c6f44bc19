"""What people read in MLflow: the names of runs, their notes and the descriptions of registered models, in plain words.

Each is Markdown, as MLflow shows it. What a run says of itself is known when it is logged; whether its model is used, and where the
report is, is added when it is published.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from forecasting.contracts import MAX_HORIZON
from forecasting.models import about, model_name, with_names
from forecasting.run import Champion, Manifest
from forecasting.wording import SPACE, capital, is_known, listing, month, number, share

BASELINE = "seasonal_naive"
NOTE = "mlflow.note.content"  # the tag that MLflow shows as a run's description
PUBLISHED = "\n\n### When it was published\n\n"  # heads what is known of a run only then
NO_MODEL = {
    "evaluation": "all models compared",
    "forecast": "forecast",
    "kept_models": "models kept from an earlier month",
}
CONDITIONS = {
    "improvement_pct": "its lead beyond luck is {} % (at least {} % is asked)",
    "bias_loss_pct": "its bias is larger by {} points of the mean actual (at most {})",
    "coverage_80_loss": "its 80 % interval is further from 80 % by {} points (at most {})",
    "coverage_95_loss": "its 95 % interval is further from 95 % by {} points (at most {})",
    "stability_loss": "its forecast of a month moves by {} typical errors more from month to month (at most {})",
}


class Span(NamedTuple):
    """The months that a run learned from, the number of series, and how many months it looks ahead."""

    first: pd.Timestamp
    cutoff: pd.Timestamp
    n_series: int
    horizon: int = MAX_HORIZON

    @classmethod
    def of(cls, train: pd.DataFrame, settings: Mapping[str, Any]) -> "Span":
        """Take them from a training set and from what was set."""
        months, horizon = (
            train["ds"],
            min(settings.get("horizon", MAX_HORIZON), MAX_HORIZON),
        )  # networks can look further
        return cls(months.min(), months.max(), train["unique_id"].nunique(), horizon)

    @property
    def ahead(self) -> str:
        """The months that are forecast, «July 2025 to December 2025»."""
        first, last = (self.cutoff + pd.DateOffset(months=ahead) for ahead in (1, self.horizon))
        return plain(month(first) if self.horizon == 1 else f"{month(first)} to {month(last)}")

    @property
    def learned(self) -> str:
        """The months that were known, «January 2022 to June 2025»."""
        return plain(f"{month(self.first)} to {month(self.cutoff)}")


def run_name(domain: str, span: Span, name: str) -> str:
    """Name a run: «weighted combination: sales, July 2025 to December 2025»; what tells runs apart is first, as lists cut names."""
    return f"{made(name)}: {domain}, {span.ahead}"


def made(name: str) -> str:
    """Say what a step made, as people do: a model's title, or «forecast»."""
    return NO_MODEL.get(name) or model_name(name)


def note(domain: str, workspace: str, span: Span, name: str, metrics: Mapping[str, float]) -> str:
    """Say of a run what was forecast, from which months, and how good it was at past cutoffs."""
    series = f"{number(span.n_series)} series" if span.n_series > 1 else "one series"
    opening = f"{introduced(name)}: monthly {domain} of «{workspace}» for **{span.ahead}**, "
    opening += f"from the months {span.learned} of {series}."
    whose = "the champion's" if name in NO_MODEL else "its"
    return plain("\n\n".join(filter(None, [opening, how_good(metrics, whose)])))


def introduced(name: str) -> str:
    """Name what a step made, and say of a model what it does."""
    what = "" if name in NO_MODEL else about(name).what
    return f"**{capital(made(name))}**" + (f", {what}" if what else "")


def how_good(metrics: Mapping[str, float], whose: str) -> str:
    """Say how good a model was on the cutoffs held out, beside repeating last year where that is known; nothing where not measured."""
    mine, naive = metrics.get("held_out_mase"), metrics.get(f"held_out_mase_{BASELINE}")
    if not is_known(mine):
        return ""
    texts = [
        f"On the past months held out, which chose nothing, {whose} MASE was **{number(mine, 3)}** (less is better)."
    ]
    if is_known(naive):
        texts.append(last_year(naive))
    if is_known(missed := metrics.get("held_out_wape")):
        texts.append(f"The errors of all series and months together were {share(missed)} of the actual amounts.")
    if is_known(inside := metrics.get("held_out_coverage_80")):
        texts.append(f"{share(inside, 0)} of the actual amounts lay inside the 80 % interval.")
    return " ".join(texts)


def last_year(naive: float) -> str:
    """Say what repeating last year missed by."""
    return f"Repeating last year (the seasonal naive) had {number(naive, 3)} on the same months."


def published_note(note_before: str, manifest: Manifest, name: str, metrics: Mapping[str, float]) -> str:
    """Return a run's note with what its publication adds: how it compares, whether its model is used and why, where the report is."""
    said = [beside_last_year(name, metrics), role(manifest.champion, name), where(manifest)]
    return note_before.partition(PUBLISHED)[0] + PUBLISHED + plain("\n\n".join(filter(None, said)))


def beside_last_year(name: str, metrics: Mapping[str, float]) -> str:
    """Say what repeating last year missed by, of a model whose run did not know it when it was logged."""
    naive = metrics.get(f"held_out_mase_{BASELINE}")
    return last_year(naive) if name not in (*NO_MODEL, BASELINE) and is_known(naive) else ""


def role(champion: Champion, name: str) -> str:
    """Say whether a model is in use and why, by the gate's sentence; of a step that made no model, which one is."""
    why = with_names(champion.reason)
    if name == champion.name:
        return f"**It is the champion**: its forecast is the one that was published. {why}"
    used = f"the champion is {quoted(champion.name)}"
    return f"{capital(used)}. {why}" if name in NO_MODEL else f"**It is not in use**: {used}. {why_not(champion, name)}"


def why_not(champion: Champion, name: str) -> str:
    """Say of a model that does not forecast why not."""
    if champion.veto and champion.veto["model"] == name:
        mine, naive = (number(champion.veto[key], 3) for key in ("mase_held_out", "seasonal_naive_mase_held_out"))
        return f"It won the contest, but on the cutoffs held out it does not beat the seasonal naive by MASE ({mine} against {naive})."
    if champion.gate_choice == name:
        return f"The gate would have chosen it; a person chose {quoted(champion.name)} on {champion.chosen_on}."
    failed = [condition(rule.name, rule.measured, rule.limit) for rule in champion.rules if not rule.passed]
    if champion.challenger == name and champion.incumbent and failed:
        beside = compared(champion, name, champion.incumbent)
        return f"{beside} It challenged {quoted(champion.incumbent)} and did not pass the gate: {listing(failed)}."
    return compared(champion, name, champion.name) + luck(champion, name)


def luck(champion: Champion, name: str) -> str:
    """Say of a model that looks better than the champion why it did not challenge."""
    mine, theirs = (champion.metric_choice.get(each) for each in (name, champion.name))
    if champion.challenger in (None, name) or not (is_known(mine) and is_known(theirs) and mine < theirs):
        return ""
    strongest = quoted(champion.challenger)
    return f" Of many models some look better by luck: once that is taken off, most was left of {strongest}, so that one challenged."


def compared(champion: Champion, name: str, other: str) -> str:
    """Set a model beside another by the gate's metric on the cutoffs that choose; nothing where that was not measured."""
    mine, theirs = (champion.metric_choice.get(each) for each in (name, other))
    if not (is_known(mine) and is_known(theirs)):
        return "It could not be compared on the cutoffs that choose."
    metric = champion.metric.replace("_", " ").upper()
    return f"On the cutoffs that choose it has {metric} {number(mine, 3)}, {quoted(other)} {number(theirs, 3)}."


def condition(rule: str, measured: float, limit: float) -> str:
    """Write a condition of the gate that was not met."""
    return CONDITIONS.get(rule, f"{rule}: {{}} (limit {{}})").format(number(measured, 1), f"{limit:g}")


def where(manifest: Manifest) -> str:
    """Say where the report is and how a number is traced."""
    report = f"`runs/{manifest.workspace}/report/index.html`"
    explain = f"`make explain RUN={manifest.run_id} NAME={manifest.workspace}`"
    return f"Report: {report} in the project's folder. Where each number comes from: {explain}."


def version_text(manifest: Manifest, name: str) -> str:
    """Describe a registered version: what it is and what came of it in its run, dated, because the aliases move on."""
    champion = manifest.champion
    if name == champion.name:
        came = f"became the champion. {with_names(champion.reason)}"
    else:
        is_next = (
            "the challenger, the best of the models that were not used" if name == champion.next_best else "not used"
        )
        came = f"was {is_next}; the champion was {quoted(champion.name)}. {why_not(champion, name)}"
    run = f"In the run of {month(manifest.cutoff)} ({manifest.run_id}) it"
    said = "\n\n".join([f"{introduced(name)}.", f"{run} {came}", where(manifest)])
    return plain(said).replace("**", "")  # the list of versions shows it as it stands


def quoted(name: str) -> str:
    """Write a model's name within a sentence."""
    return f"«{model_name(name)}»"


def plain(text: str) -> str:
    """Write ordinary blanks, which can be searched for and copied."""
    return text.replace(SPACE, " ")
