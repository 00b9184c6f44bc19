"""All that is known of a run, as one JSON-able table: what `make explain` shows."""

import difflib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import registry
from forecasting.contracts import ALL, DOMAINS
from forecasting.errors import UserError
from forecasting.ledger import Published
from forecasting.run import Workspace, git_commit, identity, params, plain_rows, stamps

FIXED_SEEDS = "PYTHONHASHSEED 0, one thread per kernel; every other seed stands in the code of the commit"
ABSENT = "(no such setting)"


def run_named(published: Published, run_id: str) -> str:
    """Return a run's id.

    Raises
    ------
    UserError
        If there is none of that name: with those that come nearest.
    """
    known = published.known_runs()["run_id"].tolist()
    if run_id in known:
        return run_id
    near = difflib.get_close_matches(run_id, known, n=5, cutoff=0.4) or known[-5:]
    raise UserError(
        f"There is no run {run_id[:80]!r} in {published.path.parent.name}/{published.path.name}. "
        f"{'The nearest' if len(known) > len(near) else 'There are'}: {', '.join(near) or 'none'}. Every number says its run_id: in "
        "ml_pred_*, in the API's answers and on the pages."
    )


def numbers(published: Published, domain: str, region: str, category: str, month: str) -> list[dict[str, Any]]:
    """Return every forecast that was ever stored of one number, the one in force first.

    `region`, `category`: 'All', or nothing, is the sum over them; `month`: yyyy-mm.

    Raises
    ------
    UserError
        If the domain or the month is none, or nothing was forecast of it.
    """
    if domain not in DOMAINS:
        raise UserError(
            f"make explain needs RUN=…, a run's id, or DOMAIN=… ({', '.join(DOMAINS)}) and MONTH=…; found DOMAIN={domain!r}."
        )
    try:
        first = pd.Period(month, "M").start_time if month else None
    except ValueError:
        first = None
    if first is None:
        raise UserError(f"MONTH={month[:40]!r} is no month: write it as 2025-07.")
    rows = published.numbers(domain, region or ALL, category or ALL, f"{first:%Y-%m-%d}")
    if rows.empty:
        known = published.names(domain)
        raise UserError(
            f"Nothing of {domain}, region {region or ALL}, category {category or ALL}, was forecast for {first:%Y-%m}. Regions: "
            f"{', '.join(sorted({*known['region'], ALL}))}; categories: {', '.join(sorted({*known['product_category'], ALL}))}."
        )
    return with_moments(rows)


def record(workspace: Workspace, run_id: str) -> dict[str, Any]:
    """Return what is known of a run. Dates and moments are ISO texts, moments UTC; amounts are in the run's unit.

    Raises
    ------
    UserError
        If there is no such run.
    """
    published = Published(workspace.published)
    row = published.written_down(run_named(published, run_id)).iloc[0]
    said = json.loads(row["manifest"])
    domain, champion = row["domain"], said.get("champion") or {}
    rows = published.rows_of(run_id)
    return {
        "run_id": run_id,
        "domain": domain,
        "workspace": said.get("workspace", ""),
        "source": said.get("source", ""),
        "cutoff": said.get("cutoff"),
        "unit": said.get("unit") or said.get("currency") or "",
        "kind": "backfill" if (rows["status"] == "backfill").any() else "published",
        "in_force": published.in_force().get(domain) == run_id,
        "written_at": moment(row["written_at"]),
        "publications": [moment(each) for each in published.publications(run_id)],
        "rows": with_moments(rows),
        "model": {
            "name": champion.get("name", ""),
            "compared": champion.get("models") or [],
            "trained": said.get("trained"),
            "registered": registered(workspace.data, domain, run_id, said),
            "mlflow_runs": said.get("mlflow") or {},
            "mlflow_runs_missing": missing_runs(workspace.data, said),
        },
        "parameters": said.get("params") or {},
        "parameters_not_default": not_default(workspace.root, domain, said.get("params") or {}),
        "seeds": {**{key: value for key, value in (said.get("params") or {}).items() if "seed" in key}, "fixed": FIXED_SEEDS},
        "code": code(workspace.root, said),
        "data": {"fingerprint": said.get("fingerprint", ""), **{key: value for key, value in (said.get("facts") or {}).items()},
                 "check": [f"{each.get('severity')}: {each.get('text')}" for each in (said.get("check") or {}).get("warnings") or []]},
        "incumbent": said.get("incumbent") or {},
        "gate": {key: champion.get(key) for key in ("verdict", "reason", "incumbent", "challenger", "gate_choice", "chosen_on", "metric",
                 "metric_choice", "rules", "veto", "choice_cutoffs", "held_out_cutoffs", "mase_held_out", "seasonal_naive_mase_held_out")},
        "decisions": registry.decisions(workspace.data, domain),
        "reconciliation": {"method": (said.get("explanation") or {}).get("reconciliation", ""),
                           "mase": (said.get("explanation") or {}).get("mase") or {}},
        "calibration": plain_rows(published.pools_of(run_id)),
        "cut": (said.get("explanation") or {}).get("cut") or {},
        "monitor": said.get("monitor"),
        "restated_since": with_moments(published.restated_since(run_id)),
        "overrides": with_moments(published.overrides_of(run_id)),
        "tests": said.get("tests") or [],
    }  # fmt: skip


def registered(data: Path, domain: str, run_id: str, said: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the versions in MLflow's registry of a run's models, and of the run that trained them; none where there is no store."""
    if not (data / registry.STORE).exists():
        return []
    trained = (said.get("trained") or {}).get("run_id")
    found = [
        each
        for known in dict.fromkeys((run_id, trained))
        if known
        for each in registry.versions_of(data, domain, known)
    ]
    return [
        {**each, "folder": str(Path(each["folder"]).relative_to(data)), "is_there": Path(each["folder"]).is_dir()}
        for each in found
    ]


def missing_runs(data: Path, said: dict[str, Any]) -> list[str]:
    """Return the MLflow runs that a run names and the store does not hold."""
    noted = list((said.get("mlflow") or {}).values())
    return registry.missing_runs(data, noted) if (data / registry.STORE).exists() else noted


def not_default(root: Path, domain: str, found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of a run that differ from what params/default.yml says today: value and default of each."""
    today = params.defaults(root, domain)
    return {
        key: {"value": found[key], "default": today.get(key, ABSENT)}
        for key in sorted(found)
        if key not in today or today[key] != found[key]
    }


def code(root: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Return what made a run, and whether it is what lies here now."""
    return {
        "git_commit": said.get("git_commit"),
        "git_commit_now": git_commit(root),
        "lock": said.get("lock", ""),
        "lock_is_todays": said.get("lock") == stamps.lock_hash(root),
        "versions": said.get("versions") or {},
        "steps": said.get("steps") or {},
        "seconds": said.get("seconds") or {},
        "id_follows_from_manifest": follows(said),
    }


def follows(said: dict[str, Any]) -> bool:
    """Say whether a run's id is the hash of what its manifest says: whoever changed one of these would have to change the id."""
    facts = {key: value for key, value in (said.get("facts") or {}).items() if key != "missing" or value}
    made_of = (said.get("cutoff"), said.get("fingerprint"), facts, said.get("steps"), said.get("incumbent"))
    return identity.run_id(said.get("domain", ""), *made_of) == said.get("run_id")


def with_moments(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows for JSON, moments with their time of day."""
    moments = {name: rows[name].map(moment) for name in rows.columns if name.endswith("_at")}
    return plain_rows(rows.assign(**moments))


def moment(value: Any) -> str | None:
    """Write a moment, UTC, as ISO text to the second."""
    return None if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%dT%H:%M:%SZ}"
