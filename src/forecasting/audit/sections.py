"""The parts of what `make explain` says: each gives names and texts, of which a text may have several lines."""

import json
from collections.abc import Callable, Iterable
from typing import Any

Rows = list[tuple[str, Any]]


def about_publication(known: dict[str, Any]) -> Rows:
    """What it is and what it wrote when."""
    times, unit = known["publications"], known["unit"] or "no unit"
    published = f"{', '.join(times)} (UTC); {'in force now' if known['in_force'] else 'not in force now'}"
    filled = f"never: filled in afterwards ({known['kind']}), {known['written_at']}"
    return [
        ("domain, workspace", f"{known['domain']}, {known['workspace']} (source: {known['source']})"),
        ("cutoff", f"{month(known['cutoff'])}, the last month that it knew; amounts in {unit}"),
        ("published", published if times else filled),
        ("rows in the ledger", lines(map(written, known["rows"]), "none")),
        ("by whom", "not noted: publishing asks no name; the machine's own log says whose account ran make"),
    ]


def written(row: dict[str, Any]) -> str:
    """One line on the rows of a status and model."""
    version = f" version {row['model_version']}" if row["model_version"] else ""
    fallback = f", {row['n_fallback']} by the fallback" if row["n_fallback"] else ""
    months = f"{month(row['first_month'])} to {month(row['last_month'])}"
    many = f"{row['n']} rows «{row['status']}» of {row['n_series']} series"
    return f"{many}, by {row['model_name']}{version}, {months}, written {row['written_at']}{fallback}"


def about_model(known: dict[str, Any]) -> Rows:
    """Which model, where it is kept, and what MLflow knows."""
    model, trained = known["model"], known["model"]["trained"] or {}
    earlier = trained.get("run_id") not in (None, "", known["run_id"])
    by = f"run {trained['run_id']}, cutoff {month(trained.get('cutoff'))}: kept since" if earlier else "this run"
    runs = [f"{name}: {run}" for name, run in model["mlflow_runs"].items()]
    if model["mlflow_runs_missing"]:
        runs.append(f"NOT in the store any more: {', '.join(model['mlflow_runs_missing'])}")
    return [
        ("model", model["name"]),
        ("trained by", by),
        (f"{known['domain']}_monthly", lines(map(registered, model["registered"]), "not registered")),
        ("MLflow runs", lines(runs, "none")),
        ("compared with", ", ".join(model["compared"]) or "none"),
    ]


def registered(each: dict[str, Any]) -> str:
    """One line on a registered version."""
    aliases = f" [{', '.join(each['aliases'])}]" if each["aliases"] else ""
    there = "" if each["is_there"] else " (NOT THERE)"
    return f"version {each['version']}: {each['model_name']}{aliases}, {each['folder']}{there}"


def about_choice(known: dict[str, Any]) -> Rows:
    """Who was champion before, and what the gate found."""
    gate, before = known["gate"], known["incumbent"]
    scores = sorted((gate["metric_choice"] or {}).items(), key=lambda item: item[1])
    decision = before.get("decision")
    rows = [
        ("champion before", (before.get("name") or "none") + (f", of run {before['run_id']}" if before.get("run_id") else "")),
        ("verdict", gate["verdict"]),
        ("reason", gate["reason"]),
        ("rules of the gate", lines(map(rule, gate["rules"] or []), "none: nothing to compare")),
        (f"{gate['metric'] or 'metric'}, choosing", ", ".join(f"{name} {value:.3f}" for name, value in scores) or "none"),
        ("cutoffs that choose", months(gate["choice_cutoffs"])),
        ("cutoffs held out", months(gate["held_out_cutoffs"])),
    ]  # fmt: skip
    return [*rows, ("a person's decision", f"{decision['name']}, on {decision['on']}")] if decision else rows


def rule(each: dict[str, Any]) -> str:
    """One line on a rule of the gate."""
    held = "passed" if each["passed"] else "NOT passed"
    return f"{each['name']}: measured {each['measured']:.3f}, limit {each['limit']:.3f}: {held}"


def about_data(known: dict[str, Any]) -> Rows:
    """What came in and what was left out."""
    data = known["data"]
    n_facts = f"{data['n_facts']:,}" if data.get("n_facts") is not None else "?"
    dates = f"{data.get('first_fact')} to {data.get('last_fact')}"
    said = [*(data.get("notes") or []), *(doubt.get("text", "") for doubt in data.get("doubts") or []), *data["check"]]
    tests = [f"{each['kind']} {each['passed']}/{each['n']}" for each in known["tests"]]
    return [
        ("fingerprint", data["fingerprint"]),
        ("facts", f"{n_facts} facts of {dates}, {data.get('grain')}; measure: {data.get('measure')}"),
        ("months", f"{data.get('n_months')}, {month(data.get('first_month'))} to {month(data.get('last_month'))}"),
        ("left out", lines(map(left_out, data.get("left_out") or []), "nothing")),
        ("what was said of it", lines(said, "nothing")),
        ("tests of the data", ", ".join(tests) or "not noted"),
    ]


def left_out(each: dict[str, Any]) -> str:
    """One line on a month that was not used."""
    return f"{month(each['ds'])}: {each.get('n_facts')} facts, {amount(each.get('amount'))}: {each.get('reason')}"


def about_settings(known: dict[str, Any]) -> Rows:
    """Which settings were not the default's, and the seeds."""
    own = known["parameters_not_default"]
    other = [f"{name}: {short(each['value'])} (default: {short(each['default'])})" for name, each in own.items()]
    seeds = [f"{name}: {value}" for name, value in known["seeds"].items() if name != "fixed"]
    return [
        ("not the default's", lines(other, "none: all as params/default.yml says today")),
        ("all others", f"{len(known['parameters']) - len(own)} settings, in JSON=1"),
        ("seeds", "; ".join([*seeds, known["seeds"]["fixed"]])),
    ]


def about_code(known: dict[str, Any]) -> Rows:
    """What made the run."""
    code = known["code"]
    now = code["git_commit_now"]
    here = "the one that lies here" if code["git_commit"] == now else f"here lies {now or 'no commit'}"
    commit = f"{code['git_commit']} ({here})" if code["git_commit"] else "not known: the project was no git checkout"
    steps = [f"{name}: {stamp[:16]}…, {code['seconds'].get(name, '?')} s" for name, stamp in code["steps"].items()]
    holds = "yes: it is the hash of the data, facts, steps and incumbent stated here"
    broken = "NO: another version of the project made it in another way, or what is stated here was changed afterwards"
    return [
        ("git commit", commit),
        ("lock of the packages", f"{code['lock']} ({'' if code['lock_is_todays'] else 'NOT '}today's)"),
        ("packages", ", ".join(f"{name} {version}" for name, version in code["versions"].items())),
        ("steps", lines(steps, "none")),
        ("run id confirmed", holds if code["id_follows_from_manifest"] else broken),
    ]


def about_intervals(known: dict[str, Any]) -> Rows:
    """How points became coherent and intervals came about."""
    sums, cut = known["reconciliation"], known["cut"]
    mase = [f"{name} {value:.3f}" for name, value in sums["mase"].items() if value is not None]
    compared = f" (MASE {', '.join(mase)})" if mase else ""
    return [
        ("how sums are made", (sums["method"] or "not noted") + compared),
        ("intervals from", lines(map(pool, known["calibration"]), "none")),
        ("cut at zero", ", ".join(f"{n} {what}" for what, n in cut.items()) or "not noted"),
    ]


def pool(row: dict[str, Any]) -> str:
    """One line on the errors behind some intervals."""
    return f"{row['aggregation']}: {row['n']} forecasts by {row['interval_n']} errors of {row['interval_pool']}"


def about_since(known: dict[str, Any]) -> Rows:
    """What happened afterwards."""
    decisions = [f"{each['on']}: {each['action']} {each['model'] or ''}".rstrip() for each in known["decisions"]]
    monitor = known["monitor"] or {}
    reasons = [str(reason.get("text", "")) for reason in monitor.get("reasons") or []]
    rows = [
        ("facts restated", lines(map(restated, known["restated_since"]), "no month that it knew")),
        ("overrides", lines(map(overridden, known["overrides"]), "none")),
        ("people on the champion", lines(decisions, "nobody decided anything")),
    ]
    return [*rows, ("monitor, in this run", lines([monitor["verdict"], *reasons]))] if monitor.get("verdict") else rows


def restated(row: dict[str, Any]) -> str:
    """One line on what a later run found restated."""
    span = f"{month(row['first_month'])} to {month(row['last_month'])}"
    return f"{row['n']} values of {span}, by {amount(row['change'])} in all, found by {row['run_id']} on {row['written_at'][:10]}"


def overridden(row: dict[str, Any]) -> str:
    """One line on what people changed."""
    who = f"{row['overridden_by']}: {row['override_reason']}"
    return f"revision {row['revision']}, {row['made_at']}: {row['n']} forecasts by {who}"


def lines(texts: Iterable[str], none: str = "") -> str:
    """Write texts below each other."""
    return "\n".join(texts) or none


def months(cutoffs: list[str] | None) -> str:
    """Write months one after another."""
    return ", ".join(month(each) for each in cutoffs or []) or "none"


def month(day: str | None) -> str:
    """Write the month of an ISO date."""
    return "?" if day is None else day[:7]


def amount(value: float | None) -> str:
    """Write an amount with two decimals."""
    return "unknown" if value is None else f"{value:,.2f}"


def short(value: Any) -> str:
    """Write a setting on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# The first has no title of its own: it is the run's.
SECTIONS: dict[str, Callable[[dict[str, Any]], Rows]] = {
    "": about_publication,
    "Model": about_model,
    "Choice of the model": about_choice,
    "Data": about_data,
    "Settings": about_settings,
    "Code": about_code,
    "Intervals and sums": about_intervals,
    "Since then": about_since,
}
