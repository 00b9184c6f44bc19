"""What choosing a model loses, on competition sets and companies: `make benchmark-regret` prints and keeps it as CSV.

Each set is walked through with every model that a workspace trains by default (`forecasting.benchmark.regret`), on so many of its
series; what was measured of other sets stays. A company whose data is not here is left out.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting import competitions, engine
from forecasting.benchmark import regret
from forecasting.benchmark.competition import default_models
from forecasting.benchmark.regret_table import write_regret
from measure_companies import COMPANIES, FACTS, settings
from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]
HORIZON = 6
EVERY_SECOND, EVERY = (
    2,
    1,
)  # months from one origin to the next: competition sets are longer than many companies' histories


def main(target: Path, wanted: list[str], limit: int, jobs: int) -> None:
    """Measure the sets, by default all, and write a row for each to `target`."""
    sources = {name: "" for name in competitions.SOURCES} | {name: folder for name, (folder, _) in COMPANIES.items()}
    sources |= {"adventureworks": "adventureworks_dw"}
    if unknown := [name for name in wanted if name not in sources]:
        sys.exit(f"SETS: there is no {', '.join(unknown)}. There are: {', '.join(sources)}.")
    for name in wanted or sources:
        if sources[name] and not (FACTS / sources[name]).exists():
            print(f"{name}: its data is not here", file=sys.stderr)
            continue
        tables = of_company(name, sources[name], limit) if sources[name] else of_competition(name, limit)
        for label, train, step in tables:
            started = time.monotonic()
            unseen = name if name in competitions.SOURCES else None  # by the pretrained network
            with engine.pool(jobs):
                losses = regret.losses_of(train, default_models(HORIZON, unseen), HORIZON, step)
            row = regret.measure(label, losses, HORIZON)
            write_regret(target, row)
            print(f"{label}: {time.monotonic() - started:.0f} s, {row}", flush=True)


def of_competition(name: str, limit: int) -> Iterator[tuple[str, pd.DataFrame, int]]:
    """Yield the training part of a competition set: its name, unique_id, ds, y, and the months between origins."""
    yield name, competitions.load(name).spread(limit).train, EVERY_SECOND


def of_company(company: str, source: str, limit: int) -> Iterator[tuple[str, pd.DataFrame, int]]:
    """Yield each domain's training set of a company as `of_competition` does; series that have ended are left out."""
    with tempfile.TemporaryDirectory() as scratch:
        project = ProjectCopy.of(ROOT, Path(scratch) / "project")
        project.made("data", *settings(company, source, Path(scratch) / company))
        for path in sorted((project.path / "runs" / company).glob("*/train_*.parquet")):
            train = pd.read_parquet(path).astype({"ds": "datetime64[ns]"})
            going = train.loc[train["ds"] == train["ds"].max(), "unique_id"].sort_values().to_numpy()
            kept = going[np.linspace(0, len(going) - 1, min(limit, len(going))).round().astype(int)]
            rows = train[train["unique_id"].isin(kept)].sort_values(["unique_id", "ds"], ignore_index=True)
            yield f"{company} {path.parent.name}", rows[["unique_id", "ds", "y"]], EVERY


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("target", type=Path)
    given.add_argument("sets", nargs="*", help="competition sets and companies; none: all")
    given.add_argument("--limit", type=int, default=100)
    given.add_argument("--jobs", type=int, default=1)
    options = given.parse_args()
    main(options.target, options.sets, options.limit, options.jobs)
