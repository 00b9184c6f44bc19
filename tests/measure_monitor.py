"""How often the monitor asks for new models without cause, and how soon with one; to runs/benchmark/monitor.csv.

Companies made from seeds, the sample company from other seeds, and where they are beside the project Census and Australian retail. Each
is forecast month by month by a quick model, exponential smoothing beside the season of the last three years, and judged as notebook 50
does: quiet months as they are, then with a break put in by hand. Levels fall or rise by 30 %; a trend turns to 12 % a month, up or
down; a season moves by half a year, from the quarter on in which that is seen most. A break counts as found where the monitor asks for
new models in its first, second or third month.

    python tests/measure_monitor.py runs/benchmark/monitor.csv [--seeds 200-219]
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy.stats import beta, chi2

from forecasting.contracts import DOMAINS
from forecasting.files import write_if_changed
from forecasting.monitor.came_due import Due, came_due
from forecasting.monitor.limits import WINDOW
from forecasting.monitor.verdicts import RETRAIN, verdict
from forecasting.sample import company
from forecasting.sample.writing import order_lines, unit_costs
from forecasting.series import Hierarchy
from measure_companies import COMPANIES, FACTS

HORIZON, SEASON, YEARS, BACK_TESTS = 6, 12, 3, 23
EVERY = 36  # `monitor_false_alarm_months`
RETAIL = 72  # months of real retail that are judged, up to the end of 2019: those after it were not quiet
DRAWS = 2000  # simulated histories a month: fewer than a run takes, so that this ends in minutes
LEVEL, TREND = 0.30, 0.12
BREAKS = ("level down", "level up", "trend down", "trend up", "season")
COLUMNS = ["kind", "company", "what", "months", "alarms", "found"]


def invented(seed: int, months: int = 120) -> pd.DataFrame:
    """A company of 3 × 4 series with level, trend, a season, carried-over noise, common shocks and now and then a wild month."""
    rng = np.random.default_rng(seed)
    month, n = np.arange(months), 12
    common = carried(rng.normal(0, rng.uniform(0.005, 0.03), months), rng.uniform(0, 0.6))
    parts = []
    for _ in range(n):
        size, growth, width = np.exp(rng.normal(4, 1)), rng.normal(0.003, 0.004), rng.uniform(0.05, 0.5)
        noise = carried(rng.normal(0, rng.uniform(0.03, 0.15), months), rng.uniform(0, 0.6))
        season = width * np.sin(2 * np.pi * (month + rng.normal(0, 1)) / SEASON)
        wild = (rng.random(months) < 0.01) * rng.normal(0, 0.3, months)
        parts.append(size * np.exp(growth * month + season + noise + wild + common))
    return long(np.array(parts), [(f"R{i // 4}", f"C{i % 4}") for i in range(n)], "2015-01-01")


def carried(noise: np.ndarray, share: float) -> np.ndarray:
    """Noise of which a share is carried over from month to month."""
    out = noise.copy()
    for t in range(1, len(out)):
        out[t] += share * out[t - 1]
    return out


def sample_company(seed: int) -> pd.DataFrame:
    """The sample company's sales of another seed, its whole months."""
    made = company.build(seed, small=False)
    lines = order_lines(made, unit_costs(made), np.random.default_rng([seed, 1]))
    names = [(region.name, category.name) for region in company.REGIONS for category in company.CATEGORIES]
    series = lines["region"] * len(company.CATEGORIES) + made.category[lines["product"]]
    month, n = company.MONTH[lines["day"]], int(company.MONTH[company.N_DAYS - 1])
    values = np.bincount(series * (n + 1) + month, lines["net"] / 100, len(names) * (n + 1)).reshape(len(names), -1)
    return long(values[:, :n], names, "2019-01-01")


def retail(name: str, domain: str = "sales") -> pd.DataFrame:
    """Real retail as a training set: the series with a value in every month."""
    folder, selects = COMPANIES[name]
    rows = duckdb.sql(selects[domain].format(folder=FACTS / folder)).df()
    rows["ds"] = (
        pd.to_datetime(rows[next(column for column in rows if column.endswith("_date"))])
        .dt.to_period("M")
        .dt.to_timestamp()
    )
    rows = rows[rows["ds"] < "2020-01-01"]
    value = next(column for column in ("net_amount", "inventory_value") if column in rows)
    rows = (
        rows.assign(region=rows.get("region", "All"))
        .groupby(["region", "product_category", "ds"], as_index=False)[value]
        .sum()
    )
    whole = rows.groupby(["region", "product_category"])["ds"].transform("size") == rows["ds"].nunique()
    rows = rows[whole & (rows.groupby(["region", "product_category"])[value].transform("min") > 0)]
    return rows.assign(unique_id=rows["region"] + "/" + rows["product_category"]).rename(columns={value: "y"})


def long(values: np.ndarray, names: list[tuple[str, str]], first: str) -> pd.DataFrame:
    """Return arrays [series, months] in the columns of a training set."""
    months = pd.date_range(first, periods=values.shape[1], freq="MS")
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"{region}/{category}",
                "region": region,
                "product_category": category,
                "ds": months,
                "y": row,
            }
        )
        for (region, category), row in zip(names, values, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def walked(train: pd.DataFrame) -> pd.DataFrame:
    """Return what the quick model and the seasonal naive say at every cutoff with three years before it, beside what came."""
    wide = train.pivot(index="unique_id", columns="ds", values="y").sort_index()
    hierarchy = Hierarchy.of(train)
    values = hierarchy.add_up(wide.to_numpy())
    months, n = wide.columns, values.shape[1]
    scale = np.cumsum(np.abs(values[:, SEASON:] - values[:, :-SEASON]), axis=1) / np.arange(1, n - SEASON + 1)
    cutoff, ahead = (
        each.ravel() for each in np.meshgrid(np.arange(YEARS * SEASON, n - 1), np.arange(1, HORIZON + 1), indexing="ij")
    )
    cutoff, ahead = (each[cutoff + ahead < n] for each in (cutoff, ahead))
    naive, nodes = (
        values[:, cutoff + ahead - SEASON],
        hierarchy.nodes.loc[np.repeat(np.arange(len(values)), len(cutoff))],
    )
    known = {"cutoff": np.tile(months[cutoff], len(values)), "ds": np.tile(months[cutoff + ahead], len(values)),
             "horizon": np.tile(ahead, len(values)), "scale": scale[:, cutoff - SEASON].ravel(),
             "actual": values[:, cutoff + ahead].ravel()}  # fmt: skip
    said = (("quick", quick(values)[:, cutoff, ahead - 1]), ("seasonal_naive", naive))
    parts = [nodes.assign(**known, predicted_value=each.ravel(), model_name=model) for model, each in said]
    rows = pd.concat(parts, ignore_index=True)
    bounds = dict.fromkeys(("lo_80", "hi_80", "lo_95", "hi_95"), np.nan)
    return rows.assign(
        is_fallback=False, **bounds, status=np.where(rows["model_name"] == "quick", "published", "baseline")
    )


def quick(values: np.ndarray) -> np.ndarray:
    """Return what the quick model says [nodes, cutoffs, horizons]: logarithms smoothed without the season of the last three years."""
    logs = np.log(np.maximum(values, 1e-3))
    said = np.full((*values.shape, HORIZON), np.nan)
    weights = 0.5 ** np.arange(1, SEASON + 1)[::-1]
    for cutoff in range(YEARS * SEASON, values.shape[1]):
        years = logs[:, cutoff - YEARS * SEASON + 1 : cutoff + 1].reshape(-1, YEARS, SEASON)
        season = (years - years.mean(axis=2, keepdims=True)).mean(axis=1)
        slope = (years[:, -1] - years[:, 0]).mean(axis=1, keepdims=True) / (YEARS - 1) / SEASON
        season -= slope * (np.arange(SEASON) - (SEASON - 1) / 2)
        drift = 0.5 * (years[:, -1].mean(axis=1) - years[:, -2].mean(axis=1)) / SEASON
        ages = np.arange(SEASON)[::-1]
        level = (years[:, -1] - season + drift[:, None] * ages) @ weights / weights.sum()
        most = 1.5 * values[:, cutoff - SEASON + 1 : cutoff + 1].max(axis=1, keepdims=True)
        said[:, cutoff] = np.minimum(
            np.exp(level[:, None] + season[:, :HORIZON] + drift[:, None] * np.arange(1, HORIZON + 1)), most
        )
    return said


def asks(rows: pd.DataFrame, month: pd.Timestamp, alarms: list[str]) -> bool:
    """Say whether the monitor asks for new models in a month, from all that had come due by then."""
    ago = (month.year - rows["cutoff"].dt.year) * 12 + month.month - rows["cutoff"].dt.month
    due = rows[(rows["ds"] <= month) & (ago <= WINDOW + HORIZON)]
    quiet = rows[(rows["ds"] < month) & (ago >= 2) & (ago <= BACK_TESTS + 1)]
    measures, _ = came_due(Due.of(due, quiet, "quick", alarms), EVERY, DRAWS)
    return verdict(measures)[0] == RETRAIN


def judged(train: pd.DataFrame, n_months: int) -> tuple[int, int]:
    """Return in how many of the last months there was an alarm, and of how many."""
    rows, months = walked(train), sorted(train["ds"].unique())[-n_months:]
    alarms: list[str] = []
    for month in map(pd.Timestamp, months):
        if asks(rows, month, alarms):
            alarms.append(f"{month:%Y-%m-%d}")
    return len(alarms), len(months)


def broken(train: pd.DataFrame, what: str, at: int) -> pd.DataFrame:
    """Return a company whose level, trend or season changes in the month number `at`."""
    months = np.sort(train["ds"].unique())
    since = np.searchsorted(months, train["ds"].to_numpy()) - at
    sign = -1 if what.endswith("down") else 1
    if what.startswith("level"):
        factor = np.where(since >= 0, 1 + sign * LEVEL, 1.0)
    elif what.startswith("trend"):
        factor = np.where(since >= 0, (1 + sign * TREND) ** (since + 1.0), 1.0)
    else:
        factor = np.where(since >= 0, turned(train, at), 1.0)
    return train.assign(y=train["y"] * factor)


def turned(train: pd.DataFrame, at: int) -> np.ndarray:
    """Return what each month becomes where the season of its series moves by half a year, as a factor."""
    month = train["ds"].dt.month
    profile = train.groupby(["unique_id", month])["y"].mean()
    now, other = (
        profile.reindex(pd.MultiIndex.from_arrays([train["unique_id"], each])).to_numpy()
        for each in (month, (month + 5) % 12 + 1)
    )
    return np.divide(other, now, out=np.ones(len(train)), where=now > 0)


def moved_most(train: pd.DataFrame, first: int, last: int) -> int:
    """Return the month from which on a turned season moves the total most within a quarter."""
    total = train.groupby("ds")["y"].sum()
    moved = (train.assign(y=train["y"] * turned(train, first)).groupby("ds")["y"].sum() / total - 1).abs()
    quarter = moved.rolling(3).mean().shift(-2).to_numpy()
    return first + int(np.nanargmax(quarter[first : last + 1]))


def found(train: pd.DataFrame, what: str, at: int) -> bool:
    """Say whether the monitor asks for new models within three months of a break that begins in the month number `at`."""
    months = np.sort(train["ds"].unique())
    until = train[train["ds"] <= months[at + 2]]
    rows = walked(
        broken(until, what, at)[lambda rows: rows["ds"] > months[max(at - BACK_TESTS - WINDOW - YEARS * SEASON, 0)]]
    )
    return any(asks(rows, pd.Timestamp(months[at + k]), []) for k in range(3))


def measured(kind: str, name: str, train: pd.DataFrame, n_months: int, places: list[int]) -> Iterator[dict]:
    """Yield a row for the quiet months, and one for each kind of break, which is put in at several places."""
    alarms, months = judged(train, n_months)
    yield {"kind": kind, "company": name, "what": "quiet", "months": months, "alarms": alarms, "found": np.nan}
    for what in BREAKS:
        where = [moved_most(train, place - SEASON + 1, place) if what == "season" else place for place in places]
        hits = sum(found(train, what, place) for place in where)
        yield {"kind": kind, "company": name, "what": what, "months": len(where), "alarms": np.nan, "found": hits}


def companies(seeds: range, kinds: list[str]) -> Iterator[tuple[str, str, Callable[[], pd.DataFrame], int, list[int]]]:
    """Yield kind, name, how it is made, how many quiet months are judged and in which months breaks are put."""
    for seed in seeds:
        if "invented" in kinds:
            yield "invented", f"seed {seed}", lambda seed=seed: invented(seed), EVERY, [104]
        if "sample" in kinds:
            yield "sample", f"seed {seed}", lambda seed=seed: sample_company(seed), 15, [70]
    for name, domain in (("census", "sales"), ("census", "inventory"), ("australia", "sales")):
        if "retail" in kinds and (FACTS / COMPANIES[name][0]).exists():
            yield "retail", f"{name} {domain}", lambda name=name, domain=domain: retail(name, domain), 0, []


def all_measured(seeds: range, kinds: list[str]) -> Iterator[dict]:
    """Yield the rows of every company."""
    for kind, name, made, n_months, places in companies(seeds, kinds):
        train = made()
        months = train["ds"].nunique()
        if kind == "retail":
            n_months, places = RETAIL, list(range(months - RETAIL + 6, months - 3, 30))
        for row in measured(kind, name, train, n_months, places):
            print(", ".join(f"{key} {value}" for key, value in row.items() if value == value), flush=True)
            yield row


def summary(rows: pd.DataFrame) -> str:
    """Say per kind how many false alarms 36 months of a whole company have and which share of breaks is found, with intervals."""
    lines = []
    for (kind, what), group in rows.groupby(["kind", "what"], sort=False):
        n = int(group["months"].sum())
        if what == "quiet":
            k, scale = int(group["alarms"].sum()), EVERY * len(DOMAINS) / n
            low, high = chi2.ppf(0.025, 2 * k) / 2 if k else 0.0, chi2.ppf(0.975, 2 * k + 2) / 2
            lines.append(f"{kind}: {k} alarms in {n} quiet months of one domain; in {EVERY} months of a company with {len(DOMAINS)}: "
                         f"{k * scale:.2f} ({low * scale:.2f} to {high * scale:.2f})")  # fmt: skip
        else:
            k = int(group["found"].sum())
            low, high = beta.ppf(0.025, k, n - k + 1) if k else 0.0, beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
            lines.append(
                f"{kind}, {what}: {k} of {n} found within 3 months ({100 * k / n:.0f} %, {100 * low:.0f} to {100 * high:.0f} %)"
            )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seeds", default="200-219", help="first and last seed")
    parser.add_argument("--kinds", default="invented,sample,retail")
    options = parser.parse_args(arguments)
    first, last = map(int, options.seeds.split("-"))
    rows = pd.DataFrame(list(all_measured(range(first, last + 1), options.kinds.split(","))), columns=COLUMNS)
    write_if_changed(options.target, rows.to_csv(index=False))
    print(summary(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
