"""Which model forecasts a domain, and in plain words whether it is worth it, for the total and for each series."""

from html import escape

from forecasting.report.data import Domain, at
from forecasting.report.html import paragraph
from forecasting.report.numbers import DASH, is_known, percent, share

WHAT = {  # what a model does, for those who do not know its name
    "naive": "which repeats the last month",
    "seasonal_naive": "which repeats the same month of last year",
    "linear": "a regression on the calendar and on earlier months",
}


def model_name(name: str) -> str:
    """Write a model's name with spaces."""
    return name.replace("_", " ") or DASH


def champion_text(domain: Domain) -> str:
    """Say which model forecasts and whether it beats the same month of last year."""
    if (domain.manifest.get("champion") or {}).get("choice_cutoffs") == []:
        return paragraph(
            "The history is too short to compare models. So <strong>the seasonal naive makes the forecast</strong>: "
            "it repeats the same month of last year."
        )
    if domain.champion == "seasonal_naive":
        return paragraph(
            "No model beat the seasonal naive, which repeats the same month of last year, on the cutoffs used to "
            "choose. So <strong>the seasonal naive itself makes the forecast</strong>."
        )
    what = f", {WHAT[domain.champion]}" if domain.champion in WHAT else ""
    text = f"The forecast is made by the model <strong>{escape(model_name(domain.champion))}</strong>{what}. "
    return paragraph(text + by_series(domain) + for_total(domain))


def by_series(domain: Domain) -> str:
    """Compare the champion with the seasonal naive over all series: what it was chosen by."""
    champion = domain.manifest.get("champion") or {}
    mine, naive = champion.get("mase_held_out"), champion.get("seasonal_naive_mase_held_out")
    if not (is_known(mine) and is_known(naive) and naive > 0):
        word = {True: "beats", False: "does not beat"}.get(champion.get("beats_seasonal_naive"))
        word = word or "could not be compared with"
        return f"In the walk-forward back-test it {word} the seasonal naive (the same month of last year). "
    figures = f"(MASE {mine:.2f} against {naive:.2f})"
    gain = 100 * (1 - mine / naive)
    if gain > 0:
        return (
            f"In the back-test that did not choose it, its error over the single series is {percent(gain, 0)} smaller "
            f"than that of repeating last year {figures}: it beats the seasonal naive. "
        )
    return (
        f"In the back-test that did not choose it, it <strong>does not beat the seasonal naive</strong>, which repeats "
        f"last year {figures}; it was the best on the earlier cutoffs. Take its forecasts with caution. "
    )


def for_total(domain: Domain) -> str:
    """Compare the errors of the total, which may tell another story; nothing where they are not known."""
    rows = at(domain.accuracy, "total")
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == "held_out")]
    wape = rows[rows["horizon_group"] == "all"].set_index("model_name")["wape"]
    mine, naive = wape.get(domain.champion), wape.get("seasonal_naive")
    if not (is_known(mine) and is_known(naive)):
        return ""
    text = f"It missed the total by {share(mine)} (WAPE), repeating last year by {share(naive)}"
    if mine <= naive:
        return f"{text}."
    return f"{text}: <strong>for the total, repeating last year was the better forecast</strong>."
