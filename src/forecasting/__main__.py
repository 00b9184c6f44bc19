"""`python -m forecasting`: what the Makefile calls. Exit codes: 0, 2 a user's error, 1 a bug, 130 Ctrl-C."""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from forecasting import run
from forecasting.errors import UserError, storage_message
from forecasting.run import progress

ROOT = Path(__file__).resolve().parents[2]
# What a warm process does, where there is one: it needs libraries
WARM = ("step", "plan-month", "publish", "fill-late", "page", "render")


def main(arguments: list[str] | None = None) -> int:
    """Run one command, here or in a process that is warm, and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    code = run.ask(arguments) if arguments[:1] and arguments[0] in WARM else None
    return work(arguments) if code is None else code


def work(arguments: list[str]) -> int:
    """Run one command in this process and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        with run.on_sigterm(stop):
            if options.run in (bring_in, restore):  # they make a workspace
                return options.run(ROOT, options) or 0
            place = run.open_workspace(
                ROOT, options.name, options.source, options.facts, options.profile, options.as_of
            )
            return options.run(place, options) or 0
    except UserError as error:
        print(f"\nError: {error}\n", file=sys.stderr)
        return 2
    except BaseException as error:
        if interrupted(error):
            print("Stopped. Run the same command again to go on.", file=sys.stderr)
            quiet()
            return 130
        if message := next(filter(None, (storage_message(str(each)) for each in chain(error))), None):
            print(f"\nError: {message}\n", file=sys.stderr)
            return 2
        raise


def stop(number: int) -> None:
    """Stop as by Ctrl-C, which puts things in order."""
    raise KeyboardInterrupt


def quiet() -> None:
    """Keep to itself what a stopped process's half-made objects complain of as they go, such as an event loop without its parts."""
    sys.unraisablehook = lambda _: None
    warnings.simplefilter("ignore")


def interrupted(error: BaseException) -> bool:
    """Say whether Ctrl-C is behind an error: libraries wrap it, DuckDB in a RuntimeError."""
    return any(isinstance(each, KeyboardInterrupt) for each in chain(error))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser: one sub-command for each thing that Make asks for."""
    top = argparse.ArgumentParser(prog="python -m forecasting", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="command")
    for name, (work, arguments) in COMMANDS.items():
        command = commands.add_parser(name, help=work.__doc__)
        command.set_defaults(run=work)
        for argument, extra in arguments.items():
            command.add_argument(argument, **extra)
        for option in ("--name", "--source", "--facts", "--profile", "--as-of"):
            command.add_argument(option, default="")
    return top


def alone(place, options) -> int:
    """Run a command while no other run may use the workspace."""
    return run.run_alone(place, options.command, run.Steps(work, partial(prepare, place)))


def prepare(place, arguments: list[str]) -> None:
    """Import what a command needs, before the process that runs it is forked; without one, what all steps of the workspace need."""
    from forecasting import pipeline

    notebooks = pipeline.notebooks_of(place)
    if arguments:
        options = parser().parse_args(arguments)
        sources = {
            "step": lambda: ROOT / "notebooks" / f"{options.step}.ipynb",
            "page": lambda: pipeline.page_source(ROOT, options.page),
        }
        notebooks = [sources[arguments[0]]()] if arguments[0] in sources else []
    pipeline.warm_up(notebooks)


def bring_in(root, options) -> None:
    """Read a file of any make into a workspace's facts, by params/imports/<name>.yml or by a proposal."""
    from forecasting.imports import import_file

    import_file(root, options.name, options.file, options.table, options.yes not in ("", "0"))


def data(place, options) -> None:
    """Check the facts, build the warehouse and write the training sets."""
    from forecasting import pipeline

    started = time.monotonic()
    built = pipeline.prepare(place, options.steps_follow, options.watch, options.retrain not in ("", "0"))
    progress.show(
        f"{'data':<11}{'facts → training sets' if built else 'unchanged':<28}{time.monotonic() - started:6.1f} s"
    )
    if built:
        print((place.runs / "facts.txt").read_text(encoding="utf-8"), end="", flush=True)
    for why in place.missing().values():
        progress.show(f"{'':<11}Not forecast: {why}")


def plan_month(place, options) -> None:
    """Decide for each domain whether its models learn anew this month, and plan the steps that follow."""
    from forecasting import choice, pipeline

    by = choice.PERSON if options.retrain not in ("", "0") else choice.MONTHLY
    for domain, training in pipeline.plan(place, rebuilt=False, by=by).items():
        progress.show(f"{domain:<11}{'models are kept' if training.kept else 'models learn anew'}: {training.why}")


def step(place, options) -> None:
    """Execute one numbered notebook for one domain."""
    from forecasting import pipeline

    executed = place.runs / options.domain / f"{options.step}.ipynb"
    run_it = partial(pipeline.run_step, place, options.domain, options.step)
    progress.timed(options.domain, options.step, run_it, executed)


def page(place, options) -> None:
    """Execute one page of the report."""
    from forecasting import pipeline

    progress.timed("report", options.page, lambda: pipeline.run_page(place, options.page))


def publish(place, options) -> None:
    """Take in what planners left, write the forecasts into the ledger, register the champions, replace the published copy, and alert."""
    from forecasting import monitor
    from forecasting.contracts import DOMAINS
    from forecasting.ledger import publish

    if any(place.data.glob("overrides/inbox/*.json")):
        take_inbox(place)
    which = [options.domain] if options.domain else None
    progress.timed("publish", options.domain or "ledger and registry", lambda: publish(place, which))
    monitor.note_published(place)
    monitor.alert(place, place.settings(DOMAINS[0])["on_alert"])


def alerts(place, options) -> int:
    """Say what the monitor found; exit code 3 where some domain needs new models or a person."""
    from forecasting import monitor

    found = monitor.standing(place)
    print("\n".join(monitor.in_words(found)) or "Nothing has been published yet.")
    return 3 if monitor.needs_action(found) else 0


def not_here(place, options) -> None:
    """Say that a stage has nothing to do for a domain that the workspace has not."""
    from forecasting.contracts import DOMAINS

    if options.domain not in DOMAINS:
        raise UserError(f"There is no DOMAIN={options.domain[:80]}: domains are {', '.join(DOMAINS)}.")
    place.domains()  # where nothing is built yet, that is what is wrong
    why = place.missing().get(options.domain, f"the workspace «{place.name}» has no facts of it")
    progress.show(f"{options.domain:<11}nothing to do: {why}")


def take_inbox(place) -> None:
    """Take in what planners left in the dashboard; it goes on waiting where what was published cannot be read."""
    from forecasting.ledger import NothingPublished, Unreadable
    from forecasting.planning import take_inbox

    try:
        print("\n".join(take_inbox(place)), flush=True)
    except (NothingPublished, Unreadable) as error:
        print(f"Overrides go on waiting: {error}", flush=True)


def publish_to(place, options) -> None:
    """Bring another database to the state of what is published."""
    from forecasting.ledger import publish_to

    progress.timed("publish", options.target[:20], lambda: print(publish_to(place, options.target), flush=True))


def export(place, options) -> None:
    """Write every published table as Parquet and CSV."""
    from forecasting.site import export

    print(f"runs/{place.name}/bi: {export(place.published, place.runs / 'bi')} tables, each as Parquet and as CSV.")


def promote(place, options) -> None:
    """Put a model in force for a domain, whatever the gate says, until it is rolled back."""
    from forecasting.choice import promote

    print(promote(place, options.domain, options.model))


def rollback(place, options) -> None:
    """Take the last change of a domain's champion back."""
    from forecasting.choice import rollback

    print(rollback(place, options.domain))


def backfill(place, options) -> None:
    """Fill in what would have been published at past month ends, from what was known then."""
    from forecasting.backfill import backfill

    print(backfill(place, getattr(options, "from"), options.to, options.domain), flush=True)


def fill_late(place, options) -> None:
    """Fill in the months between two publications when the monthly cycle was not run."""
    from forecasting.backfill import fill_late

    for line in fill_late(place):
        progress.show(line)


def accuracy(place, options) -> None:
    """Show the accuracy of a domain as it was published, by a run or by the one in force at the end of the day AS_OF."""
    from forecasting.ledger import accuracy_as_published
    from forecasting.report import as_published

    found = accuracy_as_published(place, options.domain, place.as_of, options.run_id or None)
    path = as_published.write(place.runs / "accuracy", found)
    print(f"{as_published.text(options.domain, found)}\nAll rows, with all digits: {path.relative_to(place.root)}")


def override(place, options) -> None:
    """Take in what planners want instead of a forecast: what waits in the inbox, and a file."""
    from forecasting.planning import take

    print(take(place, options.file))


def overrides(place, options) -> None:
    """List the overrides in force."""
    from forecasting.planning import listing

    print(listing(place))


def withdraw(place, options) -> None:
    """Take an override back."""
    from forecasting.planning import withdraw

    print(withdraw(place, options.id, options.who, options.why))


def render(place, options) -> None:
    """Render the executed pages, write the files beside them and keep the report as an edition."""
    from forecasting import pipeline
    from forecasting.site import render

    pipeline.without_unused_grammar()
    settings = place.settings(place.domains()[0])
    logo = place.root / "params" / "workspaces" / settings["logo"] if settings["logo"] else None
    title, kept = settings["company"] or place.name, place.data / "editions"
    folders = (place.runs / "pages", place.runs / "report", title, place.published, kept, logo)
    progress.timed("report", "rendered, files, edition", lambda: render(*folders))


def explain(place, options) -> None:
    """Say where a published number comes from."""
    from forecasting.audit import explain

    number = (options.domain, options.region, options.category, options.month)
    print(explain(place, options.run_id, *number, as_json=options.json not in ("", "0")))


def rerun(place, options) -> int:
    """Make a published run again and say whether it comes out the same: 0, or 3 where it does not."""
    from forecasting import audit

    found = audit.rerun(place, options.run_id)
    print(json.dumps(found, indent=2, ensure_ascii=False) if options.json not in ("", "0") else audit.as_text(found))
    return 0 if found["reproduced"] else 3


def backup(place, options) -> None:
    """Write a workspace as it is now into one file."""
    from forecasting.audit import backup

    print(backup(place, options.file))


def restore(root, options) -> None:
    """Make a workspace out of a backup."""
    from forecasting.audit import restore

    print(restore(root, options.file, options.name))


def follow(place, options) -> None:
    """Have MLflow's store, where the workspace was moved, point to where it lies now."""
    from forecasting import registry

    registry.follow_where_written(place.data)


def by_hand(place, options) -> None:
    """Prepare the folder in which notebooks opened by hand work."""
    from forecasting import pipeline

    pipeline.by_hand(place)


def docs(place, options) -> None:
    """Write the dbt documentation into one HTML file."""
    from forecasting import training_set

    progress.timed("docs", "dbt docs", lambda: training_set.document(place))


COMMANDS = {
    "alone": (alone, {"command": {"nargs": "+"}}),
    "import": (bring_in, {"--file": {"default": ""}, "--table": {"default": ""}, "--yes": {"default": ""}}),
    "data": (
        data,
        {"--steps-follow": {"action": "store_true"}, "--watch": {"action": "store_true"}, "--retrain": {"default": ""}},
    ),
    "plan-month": (plan_month, {"--retrain": {"default": ""}}),
    "step": (step, {"domain": {}, "step": {}}),
    "publish": (publish, {"--domain": {"default": ""}}),
    "alerts": (alerts, {}),
    "not-here": (not_here, {"--domain": {"default": ""}}),
    "publish-to": (publish_to, {"--target": {"default": ""}}),
    "export": (export, {}),
    "promote": (promote, {"--domain": {"default": ""}, "--model": {"default": ""}}),
    "accuracy": (accuracy, {"--domain": {"default": ""}, "--run-id": {"default": ""}}),
    "rollback": (rollback, {"--domain": {"default": ""}}),
    "override": (override, {"--file": {"default": ""}}),
    "overrides": (overrides, {}),
    "override-withdraw": (withdraw, {"--id": {"default": ""}, "--who": {"default": ""}, "--why": {"default": ""}}),
    "fill-late": (fill_late, {}),
    "backfill": (backfill, {"--from": {"default": ""}, "--to": {"default": ""}, "--domain": {"default": ""}}),
    "page": (page, {"page": {}}),
    "render": (render, {}),
    "explain": (
        explain,
        {f"--{name}": {"default": ""} for name in ("run-id", "domain", "region", "category", "month", "json")},
    ),
    "rerun": (rerun, {"--run-id": {"default": ""}, "--json": {"default": ""}}),
    "backup": (backup, {"--file": {"default": ""}}),
    "restore": (restore, {"--file": {"default": ""}}),
    "follow": (follow, {}),
    "by-hand": (by_hand, {}),
    "docs": (docs, {}),
}

if __name__ == "__main__":
    sys.exit(main())
