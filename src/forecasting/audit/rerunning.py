"""`make rerun`: makes a published run again, in folders of its own and with a store of its own, and says whether it comes out the same."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from forecasting import pipeline, registry
from forecasting.audit.differing import NOT_FORECASTING, Apart, apart, code_differences, setting_differences
from forecasting.audit.knowing import Known, training_set_of
from forecasting.audit.leftovers import remove_leftovers, scratch_name
from forecasting.audit.record import run_named
from forecasting.ledger import Published
from forecasting.run import RunFolder, Workspace, plain_rows

SCRATCH = ".rerun-"
SHOWN = 10  # months that are named of those that differ


def rerun(workspace: Workspace, run_id: str) -> dict[str, Any]:
    """Make a run again and return, JSON-able, what differs of its data, code and settings, and how far its forecasts are apart.

    The workspace's own run, store and ledger are not touched; the new run stays in runs/<name>/rerun/<run_id>/ to be looked at.

    Raises
    ------
    UserError
        If there is no such run, or a model that it kept is no longer in MLflow's store.
    """
    published = Published(workspace.published)
    said = json.loads(published.written_down(run_named(published, run_id)).loc[0, "manifest"])
    known = training_set_of(published, said)
    stored = published.stored(run_id)
    missing = [step for step in steps_of(said) if pipeline.stamp_today(workspace, step, said["params"]) is None]
    made, champion = (None, None) if missing else make_again(workspace, said, known)
    found = apart(stored, made) if made is not None else None
    return {
        "run_id": run_id,
        "reproduced": bool(found and found.is_same),
        "data": about_data(known),
        "code": code_differences(workspace, said),
        "settings": setting_differences(workspace, said),
        "steps_missing": missing,
        "champion": {"then": said["champion"]["name"], "now": champion},
        "forecasts": found._asdict() if found else None,
        "folder": f"runs/{workspace.name}/rerun/{run_id}" if found else None,
    }


def steps_of(said: dict[str, Any]) -> list[str]:
    """Return the notebooks that made a run's forecasts, in their order."""
    return sorted(step for step in said["steps"] if not step.startswith(NOT_FORECASTING))


def make_again(workspace: Workspace, said: dict[str, Any], known: Known) -> tuple[Any, str]:
    """Execute a run's notebooks with its settings, incumbent and data; return its forecasts and the champion's name."""
    domain, place = said["domain"], workspace.runs / "rerun"
    place.mkdir(parents=True, exist_ok=True)
    remove_leftovers(place, SCRATCH)
    with tempfile.TemporaryDirectory(prefix=scratch_name(SCRATCH), dir=place) as held:
        trained, scratch = said.get("trained") or {}, Path(held) / "run"
        kept = trained.get("run_id") not in (None, "", said["run_id"])
        registry.scratch_store(workspace.data, scratch / "store", trained.get("models") or {} if kept else {})
        write_inputs(workspace, scratch / domain, said, known, kept)
        for step in steps_of(said):
            pipeline.run_step_in(scratch / domain, workspace, step, said["params"], scratch / "store")
        run = RunFolder.open(scratch / domain)
        made, champion = run.read_table("forecasts"), run.read_json("champion")["name"]
        shutil.rmtree(place / said["run_id"], ignore_errors=True)
        scratch.rename(place / said["run_id"])
    return made, champion


def write_inputs(workspace: Workspace, folder: Path, said: dict[str, Any], known: Known, kept: bool) -> None:
    """Write what the notebooks of a run read, as `make data` does."""
    folder.mkdir(parents=True)
    domain = said["domain"]
    steps = {step: pipeline.stamp_today(workspace, step, said["params"], (said.get("trained") or {}).get("run_id", ""))
             for step in steps_of(said)}  # fmt: skip
    about = {"domain": domain, "workspace": workspace.name, "experiment": domain, "steps": steps, "kept": kept}
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    run = RunFolder.open(folder)
    run.write_table(f"train_{domain}", known.train)
    run.write_json("facts", said["facts"])
    run.write_json("tests", said.get("tests") or [])
    run.write_json("incumbent", said["incumbent"])
    if kept:
        run.write_json("trained", said["trained"])


def about_data(known: Known) -> dict[str, Any]:
    """Say how the training set was found and in what today's facts differ from it."""
    changed = known.changed
    return {
        "found_in": known.how,
        "is_same": known.is_same,
        "n_restated": len(changed),
        "first_month": None if changed.empty else f"{changed['ds'].min():%Y-%m}",
        "last_month": None if changed.empty else f"{changed['ds'].max():%Y-%m}",
        "largest": plain_rows(changed.head(SHOWN)),
    }


def as_text(found: dict[str, Any]) -> str:
    """Write what a rerun found, for an auditor."""
    lines = [f"Run {found['run_id']}, made again:", *about(found["data"])]
    lines += [
        f"  differs: {each['what']}: {short(each['then'])} then, {short(each['now'])} now" for each in found["code"]
    ]
    if not found["code"]:
        lines.append("  the same: commit, packages, lock, and every step's text, modules and settings")
    if found["settings"]:
        lines.append("  A run of today would have other settings; this one was made with its own:")
        lines += [
            f"    {each['what']}: {short(each['then'])} then, {short(each['now'])} now" for each in found["settings"]
        ]
    return "\n".join([*lines, *verdict(found)])


def about(data: dict[str, Any]) -> list[str]:
    """Say what became of the data."""
    head = "the same" if data["is_same"] else "NOT the same, and not to be had any more; the nearest is"
    lines = [f"  the training set is {head}: {data['found_in']}"]
    if data["n_restated"]:
        span = f"{data['first_month']} to {data['last_month']}"
        lines.append(f"  today's facts differ from it in {data['n_restated']} months of series, {span}:")
        lines += [f"    {each['unique_id']} {each['ds'][:7]}: {between(each)}" for each in data["largest"]]
    return lines


def between(each: dict[str, Any]) -> str:
    """Say what a number was then and is now."""
    return f"{number(each['then'])} then, {number(each['now'])} now"


def verdict(found: dict[str, Any]) -> list[str]:
    """Say what came out."""
    if found["forecasts"] is None:
        return [
            f"Not made again: {', '.join(found['steps_missing'])} is no notebook any more. Check out its commit, and rerun there."
        ]
    result, champion = Apart(**found["forecasts"]), found["champion"]
    if found["reproduced"]:
        return [
            f"Reproduced: all {result.n} forecasts with their intervals are the same, bit for bit.",
            f"It lies in {found['folder']}.",
        ]
    lines = [
        f"NOT reproduced: of {result.n} forecasts {result.n_other} differ, by at most {100 * result.largest:.3g} % of their size."
    ]
    if result.where:
        at = result.where
        node = f"{at['aggregation']} {at['unique_id']}, {at['horizon']} months ahead, {at['model_name']}"
        lines.append(f"  most: {node}: {between(at)}")
    if result.only_then or result.only_now:
        lines.append(f"  {result.only_then} forecasts were there then alone, {result.only_now} are there now alone")
    if champion["then"] != champion["now"]:
        lines.append(f"  the gate chose {champion['then']} then and {champion['now']} now")
    return [*lines, f"It lies in {found['folder']}."]


def number(value: float | None) -> str:
    """Write an amount as it is."""
    return "nothing" if value is None else f"{value:,.6g}" if abs(value) < 1 else f"{value:,.2f}"


def short(value: Any) -> str:
    """Write something on one line; long hashes by their beginning."""
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return f"{text[:16]}…" if len(text) == 64 else text
