"""Which model forecasts a domain, and in plain words whether it is worth it, for the total and for each series."""

from html import escape
from typing import Any

from forecasting.ledger import Domain, at
from forecasting.models import about, model_name
from forecasting.report.html import fold, note, paragraph, table, tag
from forecasting.run import Champion
from forecasting.tables import RULES
from forecasting.wording import DASH, count, day, is_known, number, percent, share

BASELINE = "seasonal_naive"


def labelled(name: str, is_champion: bool = False) -> str:
    """Return a model's name as the heading of a row (HTML): in one line where there is room, the champion marked."""
    text = escape(model_name(name))
    return tag("span", f"<strong>{text}</strong> (champion)" if is_champion else text, "model")


def champion_text(domain: Domain) -> str:
    """Say which model forecasts, who chose it and whether it beats the same month of last year."""
    champion = domain.manifest.champion
    if champion.verdict == "chosen_by_person":
        return paragraph(made_by(domain) + by_person(champion) + comparison(domain))
    if champion.choice_cutoffs == []:
        return paragraph(
            "The history is too short to compare models. So <strong>the seasonal naive makes the forecast</strong>: "
            "it repeats the same month of last year."
        )
    if champion.veto:
        return paragraph(vetoed(champion.veto))
    if domain.champion == BASELINE:
        return paragraph(
            "No model beat the seasonal naive, which repeats the same month of last year, clearly enough on the cutoffs "
            "used to choose. So <strong>the seasonal naive itself makes the forecast</strong>."
        )
    return paragraph(made_by(domain) + place(domain) + comparison(domain))


def made_by(domain: Domain) -> str:
    """Name the model that forecasts and say what it does."""
    what = f", {about(domain.champion).what}" if about(domain.champion).what else ""
    return f"The forecast is made by the <strong>{escape(model_name(domain.champion))}</strong> model{what}. "


def by_person(champion: Champion) -> str:
    """Say that a person chose the model, and what would have been used else."""
    instead = "it too" if champion.gate_choice == champion.name else escape(model_name(champion.gate_choice))
    text = f"It was <strong>chosen by a person on {day(champion.chosen_on)}</strong>; the gate would have chosen {instead}. "
    mine, naive = champion.mase_held_out, champion.seasonal_naive_mase_held_out
    if champion.name != BASELINE and is_known(mine) and is_known(naive) and mine >= naive:
        text += "The gate would have refused it. "
    return text


def vetoed(veto: dict[str, Any]) -> str:
    """Say that the held-out cutoffs spoke against the model that was best on the others."""
    return (
        f"The model {escape(model_name(veto['model']))} was the choice, but in the back-test that did not choose it, it does not "
        f"beat the seasonal naive, which repeats the same month of last year (MASE {veto['mase_held_out']:.2f} against "
        f"{veto['seasonal_naive_mase_held_out']:.2f}). So <strong>the seasonal naive makes the forecast</strong>."
    )


def place(domain: Domain) -> str:
    """Say whether the model is new or stays; nothing at a first run."""
    champion, before = domain.manifest.champion, domain.manifest.incumbent.name
    if champion.verdict == "promoted" and before:
        return f"It takes the place of {escape(model_name(before))}, the champion before. "
    if champion.verdict == "kept" and champion.challenger:
        return f"It stays champion: {escape(model_name(champion.challenger))}, the challenger, did not pass the gate. "
    return ""


def comparison(domain: Domain) -> str:
    """Compare the champion with the seasonal naive, over the series and for the total; nothing where it is that itself."""
    return "" if domain.champion == BASELINE else by_series(domain) + for_total(domain)


def by_series(domain: Domain) -> str:
    """Compare the champion with the seasonal naive over all series: what it was chosen by."""
    champion = domain.manifest.champion
    mine, naive = champion.mase_held_out, champion.seasonal_naive_mase_held_out
    if not (is_known(mine) and is_known(naive) and naive > 0):
        word = {True: "beats", False: "does not beat"}.get(champion.beats_seasonal_naive)
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
        f"last year {figures}. Take its forecasts with caution. "
    )


def misses(domain: Domain) -> tuple[float, float, int]:
    """Return the usual miss of the total in shares of the mean actual: of the champion, of repeating last year; and of how many forecasts.

    WAPE on the cutoffs that did not choose the model; NaN where there is no back-test.
    """
    rows = at(domain.accuracy, "total")
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == "held_out")]
    rows = rows[rows["horizon_group"] == "all"].set_index("model_name")
    wape = [float(rows["wape"].get(name, float("nan"))) for name in (domain.champion, BASELINE)]
    return *wape, int(rows["n"].get(domain.champion, 0))


def for_total(domain: Domain) -> str:
    """Compare the errors of the total, which may tell another story; nothing where they are not known."""
    mine, naive, _ = misses(domain)
    if not (is_known(mine) and is_known(naive)):
        return ""
    text = f"It missed the total by {share(mine)} (WAPE), repeating last year by {share(naive)}"
    if mine <= naive:
        return f"{text}."
    return f"{text}: <strong>for the total, repeating last year was the better forecast</strong>."


def evidence(domain: Domain) -> str:
    """Say whether the champion is better than the seasonal naive by more than luck, with the gate and the test in numbers."""
    tests = domain.manifest.significance
    tables = gate_table(domain.manifest.champion) + significance_table(tests)
    mine = [test for test in tests if (test["model"], test["against"]) == (domain.champion, BASELINE)]
    return "".join(map(significance_text, mine)) + (fold("The gate and the test in numbers", tables) if tables else "")


def significance_text(test: dict[str, Any]) -> str:
    """Say in a sentence what the Diebold–Mariano test found of a model against the seasonal naive."""
    over = f"over {count(test['n_cutoffs'], 'cutoff')}"
    if not is_known(test["p_value"]):
        return note(
            f"Whether it beats the seasonal naive by more than luck cannot be told {over}: {escape(test['verdict'])}."
        )
    found = {
        "better": "it is better than the seasonal naive by more than luck",
        "worse": "it is worse than the seasonal naive by more than bad luck",
    }.get(test["verdict"], "there is no clear difference between it and the seasonal naive")
    return note(f"{over.capitalize()}, {found} (Diebold–Mariano test, p {p_text(test['p_value'])}).")


def p_text(value: float) -> str:
    """Write a p-value with its sign, as HTML; one that is very small without false precision."""
    return "&lt; 0.001" if value < 0.001 else f"= {value:.3f}"


def gate_table(champion: Champion) -> str:
    """Return what the gate measured of the challenger against the incumbent; nothing where there was nothing to measure."""
    if not champion.rules:
        return ""
    names = [model_name(name) for name in (champion.challenger, champion.incumbent)]
    cells = [
        [
            escape(RULES[rule.name]),
            number(rule.measured, 1, plus=True),
            ("at least " if rule.name == "improvement_pct" else "at most ") + number(rule.limit, 1),
            "passed" if rule.passed else "not passed",
        ]
        for rule in champion.rules
    ]
    caption = f"The gate: {names[0]}, the challenger, against {names[1]}, on the cutoffs used to choose"
    return table(["Rule", "Measured", "Asked for", "Result"], cells, caption, text=(0, 2, 3))


def significance_table(tests: list[dict[str, Any]]) -> str:
    """Return the Diebold–Mariano tests, one row per pair of models."""
    if not tests:
        return ""
    cells = [
        [
            escape(model_name(test["model"])),
            escape(model_name(test["against"])),
            number(test["n_cutoffs"]),
            number(test["mean_difference"], 3, plus=True),
            p_text(test["p_value"]).removeprefix("= ") if is_known(test["p_value"]) else DASH,
            escape(test["verdict"]),
        ]
        for test in tests
    ]
    head = ["Model", "Against", "Cutoffs", "Mean difference", "p", "Verdict"]
    caption = (
        "Diebold–Mariano test on the mean scaled error of each cutoff; a difference below zero speaks for the model"
    )
    return table(head, cells, caption, text=(0, 1, 5), missing="cannot be told")
