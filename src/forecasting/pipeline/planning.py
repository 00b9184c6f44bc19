"""Brings training sets up to date and writes what Make needs to know: domains, pages, and a stamp for each step."""

import json
import shutil
from typing import Any

from forecasting import choice, monitor, training_set
from forecasting.contracts import DOMAINS
from forecasting.files import digest, folder_hash, write_if_changed
from forecasting.pipeline.known_before import write_known_before
from forecasting.pipeline.steps import KEEPS, WATCHING, families, notebook, steps
from forecasting.run import PRETRAINED, REGRET, RESULTS, Page, Workspace, pages_of, stamps


def prepare(workspace: Workspace, steps_follow: bool = False, watch: bool = False, retrain: bool = False) -> bool:
    """Bring training sets and stamps up to date; say whether anything had to be built.

    `watch`: only plan what comes before it is decided whether models learn anew; `plan` goes on. `retrain`: they do in any case.
    """
    built = training_set.build(workspace, checked_settings(workspace), steps_follow)
    plan_watch(workspace, built) if watch else plan(
        workspace, rebuilt=built, by=choice.PERSON if retrain else choice.REPORT
    )
    return built


def checked_settings(workspace: Workspace) -> dict[str, Any]:
    """Return the settings of the whole run, after checking those of every domain, before anything is touched."""
    resolved = {name: workspace.settings(name) for name in DOMAINS}
    for settings in resolved.values():
        for step in [*steps(settings), KEEPS]:
            notebook(workspace, step)
    return resolved["sales"]


def plan_watch(workspace: Workspace, rebuilt: bool) -> None:
    """Write what Make needs to know of the steps that come before the decision whether models learn anew."""
    domains = workspace.domains()
    for domain in domains:
        if rebuilt:
            forget(workspace, domain)
        settings = workspace.settings(domain)
        found = {step: stamps.step_stamp(workspace.root, notebook(workspace, step), settings) for step in WATCHING}
        write_stamps(workspace, domain, found)
        write_run(workspace, domain, domain, found)
        monitor.write_before(workspace, domain, settings, rebuilt)
    write_if_changed(workspace.runs / "plan.mk", for_make(domains, [], workspace.settings(domains[0]), []))


def plan(workspace: Workspace, rebuilt: bool = True, by: str = choice.REPORT) -> dict[str, choice.Training]:
    """Write what Make needs to know: domains, families, and for each step a stamp that changes only when its inputs do.

    Also which champion each domain had before (`incumbent.json`) and what was known otherwise (`known_before.json`); `rebuilt` says
    whether the warehouse was built anew, `by` who asks. Returns for each domain whether its models learn anew.
    """
    domains = workspace.domains()
    settings = {name: workspace.settings(name) for name in domains}
    trainings = {domain: plan_domain(workspace, domain, settings[domain], rebuilt, by) for domain in domains}
    pages = pages_of(domains, (workspace.root / RESULTS).exists())
    for page in pages:
        page_stamp(workspace, page, settings[page.domain or domains[0]])
    shared_stamps(workspace, pages)
    kept = [domain for domain in domains if trainings[domain].kept]
    write_if_changed(workspace.runs / "plan.mk", for_make(domains, kept, settings[domains[0]], pages))
    return trainings


def plan_domain(workspace: Workspace, domain: str, settings: dict[str, Any], rebuilt: bool, by: str) -> choice.Training:
    """Write the stamps of a domain's steps, its run, its incumbent and what was published before; return whether its models learn anew."""
    found = {
        step: stamps.step_stamp(workspace.root, notebook(workspace, step), settings)
        for step in [*steps(settings), KEEPS]
    }
    if rebuilt:
        forget(workspace, domain)
    training = choice.decide_training(choice.Month(workspace, domain, settings, found, by))
    if training.kept:
        found[KEEPS] = digest(found[KEEPS], training.kept.run_id)
    found = {step: found[step] for step in steps(settings, bool(training.kept))}
    write_stamps(workspace, domain, found)
    write_run(workspace, domain, domain, found, kept=bool(training.kept))
    choice.write_incumbent(workspace, domain, found, settings)
    monitor.write_before(workspace, domain, settings, rebuilt)
    write_known_before(workspace, domain, settings)
    return training


def forget(workspace: Workspace, domain: str) -> None:
    """Have what was looked up for a domain be looked up again: the warehouse was built anew, perhaps because it was emptied."""
    for memory in (workspace.runs / "stamps").glob(f"{domain}-*"):
        if memory.stem.removeprefix(f"{domain}-") in ("training", "incumbent", "known_before"):
            memory.unlink()


def write_stamps(workspace: Workspace, domain: str, found: dict[str, str]) -> None:
    """Write the stamps of a domain's steps."""
    for step, stamp in found.items():
        write_if_changed(workspace.runs / "stamps" / f"{domain}-{step}.stamp", stamp)


def write_run(
    workspace: Workspace, domain: str, experiment: str, found: dict[str, str], below: str = "", kept: bool = False
) -> None:
    """Write `run.json`, which tells the notebooks of a domain which run they belong to, and on which engine many series are forecast."""
    run = {"domain": domain, "workspace": workspace.name, "experiment": experiment, "steps": found, "kept": kept}
    settings = workspace.settings(domain)
    run["engine"] = {
        "kind": settings["engine"],
        "address": settings["engine_address"],
        "processes": settings["engine_processes"],
    }
    folder = workspace.runs / below / domain
    write_if_changed(folder / "run.json", json.dumps(run, indent=2, sort_keys=True) + "\n")


def for_make(domains: list[str], kept: list[str], settings: dict[str, Any], pages: list[Page]) -> str:
    """Return the content of `plan.mk`: the domains, those whose models are kept, the families of models, the pages and what some of
    these need besides, and where else to publish."""
    lists = {"DOMAINS": domains, "KEPT": kept, "FAMILIES": families(settings), "PAGES": [page.name for page in pages]}
    lists["PUBLISH_TO"] = [target for target in [settings["publish_to"]] if target != "nowhere"]
    lines = [f"{name} := {' '.join(values)}" for name, values in lists.items()]
    measured = f"{RESULTS.as_posix()} $(wildcard {REGRET.as_posix()} {PRETRAINED.as_posix()})"
    lines += [f"$(RUNS)/pages/{page.name}.ipynb: {measured}" for page in pages if page.shows_benchmark]
    return "\n".join(lines) + "\n"


def shared_stamps(workspace: Workspace, pages: list[Page]) -> None:
    """Write the stamps of what all domains share: publishing, and how pages are rendered."""
    folder = workspace.runs / "stamps"
    package = workspace.root / "src" / "forecasting"
    write_if_changed(
        folder / "publish.stamp", stamps.modules_hash({"forecasting.ledger.publishing"}, package, stamps.PRESENTATION)
    )
    forget_pages(workspace, {page.name for page in pages})
    look = folder_hash(workspace.root / "reports", ("*.yml", "*.css", "*.typ", "*.j2", "*.html", "*.js", "*.json"))
    write_if_changed(
        folder / "render.stamp",
        digest(look, stamps.modules_hash({"forecasting.site.rendering"}, package), shutil.which("quarto")),
    )


def page_stamp(workspace: Workspace, page: Page, settings: dict[str, Any]) -> None:
    """Write the stamp of a report page."""
    source = workspace.root / "reports" / page.source
    stamp = stamps.step_stamp(workspace.root, source, settings, page=True)
    write_if_changed(workspace.runs / "stamps" / f"page-{page.name}.stamp", stamp)


def forget_pages(workspace: Workspace, pages: set[str]) -> None:
    """Remove executed pages of domains that are no longer built, so that the report does not show them on."""
    for path in (workspace.runs / "pages").glob("*.ipynb"):
        if path.name.split(".")[0] not in pages:
            path.unlink()
            (workspace.runs / "stamps" / "render.stamp").unlink(missing_ok=True)  # render again, without them


def stamp_today(workspace: Workspace, step: str, settings: dict[str, Any], trained_by: str = "") -> str | None:
    """Return the stamp that a step has with today's code and these settings, None where there is no such notebook any more.

    `trained_by`: the run whose models are kept, which is part of the stamp of the step that keeps them.
    """
    source = workspace.root / "notebooks" / f"{step}.ipynb"
    if not source.exists():
        return None
    found = stamps.step_stamp(workspace.root, source, settings)
    return digest(found, trained_by) if step == KEEPS else found


def by_hand(workspace: Workspace) -> None:
    """Copy each domain's run into `by_hand/`, where notebooks opened by hand work without touching the real run."""
    for domain in workspace.domains():
        origin, copy = workspace.runs / domain, workspace.runs / "by_hand" / domain
        ignore = shutil.ignore_patterns("*.ipynb", "*.running", "*.new", "tracking")
        shutil.copytree(origin, copy, dirs_exist_ok=True, ignore=ignore)
        write_run(workspace, domain, f"{domain} by hand", {}, below="by_hand")
