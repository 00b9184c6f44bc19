"""Editions: each rendered report is kept under the date up to which its facts were known, and links the ones before it.

A kept edition is whole but for plotly.js, of which the editions of one version share a copy beside them.
"""

import datetime as dt
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecasting.files import write_if_changed
from forecasting.ledger import Domain, Published
from forecasting.report import bullets, fold, note, tag
from forecasting.site.swap import recover, swap
from forecasting.wording import day, listing, month

NAME = re.compile(r"\d{4}-\d{2}-\d{2}")
NOTE = "edition.json"
PLACE = re.compile(r'(<section\b[^>]*\bid="editions"[^>]*>).*?(</section>)', re.DOTALL)
PLOTLY = "plotly.min.js"
IN_SIGHT = 12  # editions that are listed at once; older ones are folded
HEADING = "<h3>Earlier editions</h3>"
FIRST = "This is the first edition that is kept here. Later reports link it."
ELSEWHERE = "Earlier editions are kept where this report was made."


@dataclass(frozen=True)
class InForce:
    """A domain's run in force: what is measured and in which unit, the last closed month, until when facts were known."""

    domain: str
    run_id: str
    measure: str
    unit: str
    last_month: pd.Timestamp | None
    known_until: pd.Timestamp | None

    @property
    def title(self) -> str:
        """The domain's name as a heading."""
        return self.domain.capitalize()


@dataclass(frozen=True)
class Edition:
    """One report: whose it is and the runs that it shows. The date up to which facts were known gives it its name."""

    company: str
    runs: tuple[InForce, ...]

    @classmethod
    def open(cls, published: Path, company: str) -> "Edition":
        """Read what the published database says of the runs in force."""
        return cls(company, tuple(map(in_force, filter(None, Published(published).domains().values()))))

    @property
    def as_of(self) -> pd.Timestamp | None:
        """The date up to which facts were known, the latest of all domains; None where nothing has been published."""
        return max((run.known_until for run in self.runs if run.known_until is not None), default=None)

    @property
    def name(self) -> str:
        """The name of the edition's folder, an ISO date; empty where there is none."""
        return "" if self.as_of is None else f"{self.as_of:%Y-%m-%d}"

    @property
    def date(self) -> dt.datetime:
        """The date that files bear: `as_of`, so that the same content has the same bytes."""
        return dt.datetime(1980, 1, 1) if self.as_of is None else self.as_of.to_pydatetime()

    @property
    def months(self) -> dict[str, str]:
        """The last closed month of each domain, an ISO date."""
        return {run.domain: f"{run.last_month:%Y-%m-%d}" for run in self.runs if run.last_month is not None}

    @property
    def label(self) -> str:
        """The edition in a few words, for the head of a page."""
        return f"Edition of {day(self.as_of)}" if self.name else ""

    @property
    def sentence(self) -> str:
        """What the edition rests on, in words."""
        if not self.name:
            return "Nothing has been published yet."
        return f"{self.label}: the facts known up to that day. Actuals: {span(self.months)}."


def in_force(domain: Domain) -> InForce:
    """Return a domain with what its run's manifest says of dates: `as_of` in `params/`, else the last fact.

    A run's own notes count, not what the database has learned since.
    """
    manifest = domain.manifest
    known = manifest.params.get("as_of") or manifest.facts.last_fact or domain.calendar.get("last_fact")
    known = None if pd.isna(known) else pd.Timestamp(known)
    return InForce(domain.name, manifest.run_id, domain.measure, domain.unit, domain.last_month, known)


def span(months: dict[str, str]) -> str:
    """Write which domains go up to which month: «sales and profit up to June 2025, inventory up to May 2025»."""
    ends = dict.fromkeys(months.values())
    return ", ".join(
        f"{listing([name for name, last in months.items() if last == end])} up to {month(end)}" for end in ends
    )


def earlier(folder: Path, edition: Edition) -> list[tuple[str, dict[str, str]]]:
    """Return the kept editions of days before this one, latest first: their names and their domains' last months."""
    for left in folder.glob("*.old"):
        recover(left.with_suffix(""))
    notes = sorted(folder.glob(f"*/{NOTE}"), reverse=True)
    known = [path for path in notes if NAME.fullmatch(path.parent.name) and path.parent.name < edition.name]
    return [(path.parent.name, json.loads(path.read_text(encoding="utf-8"))["actuals_up_to"]) for path in known]


def links(found: list[tuple[str, dict[str, str]]], way: str) -> str:
    """Return the list of earlier editions as HTML; `way` is the relative path to the folder that holds them."""
    if not found:
        return HEADING + note(FIRST)
    items = [tag("a", day(name), href=f"{way}/{name}/index.html") + f": {span(months)}" for name, months in found]
    old = items[IN_SIGHT:]
    return HEADING + bullets(items[:IN_SIGHT]) + (fold("Older editions", bullets(old), "screen") if old else "")


def fill(page: str, content: str) -> str:
    """Put the list of editions into its place on the front page."""
    return PLACE.sub(lambda found: found[1] + content + found[2], page)


def keep(site: Path, folder: Path, edition: Edition, before: list[tuple[str, dict[str, str]]], shared: str) -> None:
    """Keep a finished report as an edition; one of the same day is replaced. Without a date there is nothing to keep.

    `shared`: what plotly.js is called where editions share it; its version is part of the name.
    """
    if not edition.name:
        return
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{edition.name}.running"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(site, scratch, ignore=shutil.ignore_patterns(PLOTLY))
    write_if_changed(folder / shared, (site / PLOTLY).read_bytes())
    for path in scratch.glob("*.html"):
        page = path.read_text(encoding="utf-8").replace(f'src="{PLOTLY}"', f'src="../{shared}"')
        path.write_text(fill(page, links(before, "..")), encoding="utf-8")
    runs = {run.domain: run.run_id for run in edition.runs}
    about = {"as_of": edition.name, "actuals_up_to": edition.months, "runs": runs}
    (scratch / NOTE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    swap(scratch, folder / edition.name)


def way_to(folder: Path, report_dir: Path) -> str:
    """Return the relative path from a report to the folder of editions, as links write it."""
    return Path(os.path.relpath(folder.resolve(), report_dir.resolve())).as_posix()
