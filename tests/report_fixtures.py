"""A published database made from a seed, in the shape that dbt and `publish` give it, for tests of the report."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from dbt_sql import model
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.ledger import Domain
from forecasting.run import Manifest
from made_once import made_once

Z = np.array([-1.96, -1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816, 1.96])
MODELS = {"linear": 0.05, "seasonal_naive": 0.09, "naive": 0.16}
CHAMPION = "linear"
ACCURACY_COLUMNS = [
    "aggregation",
    "model_name",
    "is_champion",
    "forecast_kind",
    "evaluation_set",
    "horizon_group",
    "n",
    "n_series",
    "of_series",
    "n_cutoffs",
    "first_cutoff",
    "last_cutoff",
    "mae",
    "rmse",
    "wape",
    "bias",
    "mase",
    "coverage_80",
    "coverage_95",
    "fva",
    "masc",
]
KEY = ["aggregation", "unique_id", "region", "product_category"]
HARD_NAMES = (
    "Bikes",
    "A <b>\"bold\"</b> & 'quoted' name",
    "Protective clothing, helmets and gloves for winter and for summer",
)


@dataclass(frozen=True)
class Company:
    """What the made-up company looks like."""

    domains: tuple[str, ...] = ("sales", "inventory", "profit")
    regions: tuple[str, ...] = ("East", "North", "South")
    categories: tuple[str, ...] = ("Bikes", "Clothing & Shoes", "Parts")
    months: int = 48
    history: bool = False  # forecasts of earlier runs are published
    publications: int = 3  # how many earlier ones, one a month
    filled: int = 0  # how many months before the published ones were filled in later
    restated: bool = False  # one month in the middle of them was known differently at first
    republished: bool = False  # one of them was published again later, with other forecasts
    walk_forward: bool = True  # there is a back-test
    zero: bool = False  # every actual and forecast is 0
    loss: bool = False  # every profit is negative
    beats: bool = True  # the champion is better than the seasonal naive
    unit: str = "EUR"
    behind: int = 0  # months by which the inventory ends before the other domains

    def length(self, domain: str) -> int:
        """Return how many months are known of a domain."""
        return self.months - (self.behind if domain == "inventory" else 0)


def series(company: Company, domain: str) -> pd.DataFrame:
    """One row per series and month: unique_id, region, product_category, ds, y (profit is negative in places)."""
    rng = np.random.default_rng(len(domain))
    months = pd.date_range("2020-01-01", periods=company.length(domain), freq="MS")
    t = np.arange(len(months))
    frames = []
    for i, region in enumerate(company.regions):
        for j, category in enumerate(company.categories):
            level = 90_000 * (1 + i) / (1 + j)
            y = level * (1 + 0.006 * t + 0.25 * np.sin(2 * np.pi * t / 12)) + rng.normal(0, 0.07 * level, len(t))
            y = np.round({"sales": y, "inventory": 1.7 * y, "profit": 0.12 * y - 0.1 * level}[domain], 2)
            frames.append(pd.DataFrame({"region": region, "product_category": category, "ds": months, "y": y}))
    found = pd.concat(frames, ignore_index=True)
    found["y"] -= 100_000.0 if company.loss and domain == "profit" else 0.0
    found["y"] = 0.0 if company.zero else found["y"]
    found.insert(0, "unique_id", found["region"] + "/" + found["product_category"])
    return found


def aggregate(found: pd.DataFrame) -> pd.DataFrame:
    """Actuals of every aggregation, bottom-up: KEY, ds, y, is_imputed."""
    frames = []
    for name, free in {
        "series": [],
        "region": ["product_category"],
        "category": ["region"],
        "total": ["region", "product_category"],
    }.items():
        part = found.assign(**dict.fromkeys(free, "All"))
        part = part.groupby(["region", "product_category", "ds"], as_index=False)["y"].sum()
        part["y"] = part["y"].round(2)
        frames.append(part.assign(aggregation=name, unique_id=part["region"] + "/" + part["product_category"]))
    both = pd.concat(frames, ignore_index=True).assign(is_imputed=False)
    return both[[*KEY, "ds", "y", "is_imputed"]]


def predictions(
    actuals: pd.DataFrame, cutoffs: pd.DatetimeIndex, models: dict[str, float], seed: int = 7
) -> pd.DataFrame:
    """Forecasts of every model at every cutoff, horizons 1 to 6, with all quantiles; past the last month they go on."""
    rng = np.random.default_rng(seed)
    history = actuals.pivot(index="ds", columns=["aggregation", "unique_id"], values="y")
    keys = (
        actuals[KEY].drop_duplicates().set_index(["aggregation", "unique_id"]).loc[list(history.columns)].reset_index()
    )
    scale = history.diff(12).abs().mean().to_numpy()
    adds = members(keys)
    frames = []
    for name, error in models.items():
        for cutoff in cutoffs:
            for horizon in range(1, 7):
                ds = cutoff + pd.DateOffset(months=horizon)
                known = history.loc[ds] if ds in history.index else history.loc[ds - pd.DateOffset(months=12)]
                point = adds @ np.round(known.to_numpy() + rng.normal(0, error * 3, len(keys)) * scale, 2)
                spread = pd.DataFrame(np.round(point[:, None] + Z * scale[:, None] * 0.25, 2), columns=QUANTILE_COLUMNS)
                frames.append(
                    keys.assign(model_name=name, cutoff=cutoff, horizon=horizon, ds=ds, scale=scale).join(spread)
                )
    return pd.concat(frames, ignore_index=True)


def members(keys: pd.DataFrame) -> np.ndarray:
    """Which series each node adds up [nodes, nodes]; a forecast of a sum is the sum of its series' forecasts."""
    region, category = (keys[name].to_numpy(dtype=object) for name in ("region", "product_category"))
    belongs = ((region[:, None] == region) | (region[:, None] == "All")) & (
        (category[:, None] == category) | (category[:, None] == "All")
    )
    level = keys["aggregation"].to_numpy(dtype=object)
    return (belongs & (level == "series") & ((level[:, None] != "series") | np.eye(len(keys), dtype=bool))).astype(
        float
    )


def bounds(found: pd.DataFrame) -> pd.DataFrame:
    """The point and the interval columns from the quantiles."""
    names = {"q500": "predicted_value", "q100": "lo_80", "q900": "hi_80", "q025": "lo_95", "q975": "hi_95"}
    return found.rename(columns=names).drop(columns=[name for name in QUANTILE_COLUMNS if name not in names])


def compared(found: pd.DataFrame, actuals: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of actual_vs_forecast: forecasts with the actual, where there is one, and the variance."""
    both = bounds(found).merge(actuals[[*KEY, "ds", "y"]], on=[*KEY, "ds"], how="left").rename(columns={"y": "actual"})
    variance = both["actual"] - both["predicted_value"]
    both["variance"] = variance
    both["variance_pct"] = (variance / both["predicted_value"].abs().replace(0, np.nan)) * 100
    return both.assign(forecast_kind=kind, is_champion=both["model_name"] == CHAMPION, is_fallback=False)


def previous(rows: pd.DataFrame) -> list[float]:
    """What was said of each row's month a month before: by the same model at the cutoff before, in a run that counts."""
    key = ["forecast_kind", "model_name", "aggregation", "unique_id", "ds", "cutoff"]
    counted = rows[~rows["run_id"].str.endswith(SUPERSEDED)]
    said = dict(zip(counted[key].itertuples(index=False, name=None), counted["predicted_value"], strict=True))
    before = rows.assign(cutoff=rows["cutoff"] - pd.DateOffset(months=1))[key]
    return [said.get(one, np.nan) for one in before.itertuples(index=False, name=None)]


def accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """The mart forecast_accuracy from rows of actual_vs_forecast; wape and coverage are fractions."""
    known = rows.dropna(subset=["actual"]).assign(size=lambda d: d["variance"].abs())
    known["naive"] = known["size"].where(known["model_name"] == "seasonal_naive", 0.0)
    known["naive"] = known.groupby(["aggregation", "unique_id", "cutoff", "horizon", "run_id", "forecast_kind"])[
        "naive"
    ].transform("sum")
    found = []
    groups = {"1-3": known["horizon"] <= 3, "4-6": known["horizon"] > 3, "all": known["horizon"] > 0}
    for label, chosen in groups.items():
        by = ["aggregation", "model_name", "is_champion", "forecast_kind", "evaluation_set"]
        for key, part in known[chosen].groupby(by):
            found.append(dict(zip(by, key, strict=True)) | {"horizon_group": label} | measures(part))
    return pd.DataFrame(found, columns=ACCURACY_COLUMNS)


def measures(part: pd.DataFrame) -> dict:
    """The accuracy of one group of rows."""
    total, scale = part["actual"].abs().sum(), part["scale"].replace(0, np.nan)
    return {
        "n": len(part),
        "n_series": part["unique_id"].nunique(),
        "of_series": part["unique_id"].nunique(),
        "n_cutoffs": part["cutoff"].nunique(),
        "first_cutoff": part["cutoff"].min(),
        "last_cutoff": part["cutoff"].max(),
        "mae": part["size"].mean(),
        "rmse": (part["size"] ** 2).mean() ** 0.5,
        "wape": part["size"].sum() / total if total else np.nan,
        "bias": -part["variance"].mean(),
        "mase": (part["size"] / scale).mean(),
        "coverage_80": part["actual"].between(part["lo_80"], part["hi_80"]).mean(),
        "coverage_95": part["actual"].between(part["lo_95"], part["hi_95"]).mean(),
        "fva": part["naive"].mean() - part["size"].mean(),
        "masc": ((part["predicted_value"] - part["previous_value"]).abs() / scale).mean(),
    }


def significance(model: str, against: str, difference: float, p_value: float | None, verdict: str) -> dict:
    """One Diebold–Mariano test over 18 cutoffs."""
    found = {"model": model, "against": against, "n_cutoffs": 18, "mean_difference": difference, "statistic": -2.8}
    return {**found, "p_value": p_value, "verdict": verdict}


def with_manifest(domain: Domain, **parts: object) -> Domain:
    """A domain whose run wrote down these parts instead of its own; None for what it did not write down."""
    return replace(domain, manifest=Manifest.from_json({**asdict(domain.manifest), **parts}))


def manifest(company: Company, domain: str, run_id: str, last: pd.Timestamp) -> dict:
    """What `publish` writes of a run."""
    warnings = [
        {"severity": "low", "code": "imputed", "text": "2 months of East/Parts had no facts and count as 0."},
        {
            "severity": "high",
            "code": "empty_last_month",
            "text": f"3 of 9 series have no {domain} in 2023-12; the total fell by 31 %.",
        },
    ]
    life = {"region": "East", "product_category": "Bikes", "first_month": "2020-01-01", "n_months": 48, "n_imputed": 0}
    tables = {
        "series": [
            life | {"unique_id": "East/Bikes", "status": "active", "share": 0.25, "last_nonzero_month": "2023-12-01"},
            life | {"unique_id": "East/Parts", "status": "ended", "share": None, "last_nonzero_month": None},
        ],
        "outliers": [{"unique_id": "East/Bikes", "ds": "2022-03-01", "y": 1234567.891, "expected": None, "z": -7.25}],
        "gaps": [],
    }
    mase = (
        dict.fromkeys(["mase_choice", "mase_held_out", "seasonal_naive_mase_held_out"])
        if company.zero
        else {
            "mase_choice": 0.71,
            "mase_held_out": 0.74 if company.beats else 1.1,
            "seasonal_naive_mase_held_out": 1.02,
        }
    )
    return {
        "run_id": run_id,
        "domain": domain,
        "workspace": "acme",
        "source": "sample",
        "cutoff": str(last.date()),
        "fingerprint": "9f2c" * 16,
        "params": {"horizon": 6, "models": {"linear": {"alpha": [0.1, 1.0]}}},
        "steps": {"30_evaluate": "c0de" * 16},
        "lock": "10cc" * 16,
        "git_commit": None,
        "versions": {"pandas": "2.3.3"},
        "seconds": {"30": 1.5},
        "mlflow": {"20_train_linear": "abc123", "30_evaluate": "def456"},
        "champion": {
            "name": CHAMPION,
            "reason": "lowest mean MASE on the choice cutoffs",
            "beats_seasonal_naive": company.beats,
            "verdict": "promoted",
            "challenger": CHAMPION,
            "incumbent": "naive",
            "rules": [{"name": "improvement_pct", "measured": 12.34, "limit": 1.0, "passed": True}],
            **mase,
        },
        "incumbent": {"name": "naive", "run_id": None, "decision": None},
        "significance": [
            significance(CHAMPION, "seasonal_naive", -0.21, 0.012, "better"),
            significance(CHAMPION, "naive", -0.5, 0.0001, "better"),
        ],
        "facts": {},
        "explanation": {
            "model": {
                "penalty": 100.0,
                "month_effects": False,
                "coefficients": {
                    "growth_12m": [0.412, 0.3, 0.25, 0.2, 0.1, 0.05],
                    "lag_0": [-0.125, 0.0, 0.0, 0.0, 0.0, 0.0],
                },
            },
            "reconciliation": "ols",
            "mase": {"bottom_up": 0.84, "ols": 0.81, "wls_struct": 0.83},
            "cut": {"points": 0, "bounds": 3},
        },
        "tests": [
            {"kind": "complete", "domain": domain, "n": 1, "passed": 1, "on": [f"{domain}_is_complete"]},
            {"kind": "grain", "domain": None, "n": 6, "passed": 6, "on": ["actual_vs_forecast", "monthly_actuals"]},
        ],
        "check": {
            "warnings": warnings if domain == "sales" else [],
            "tables": tables,
            "n_series": 9,
            "n_months": company.length(domain),
            "first_month": "2020-01-01",
            "last_month": str(last.date()),
        },
        "currency": "EUR",
        "unit": company.unit,
    }


SUPERSEDED = "ffffffffff"  # ends the id of a run whose cutoff was published again


def published_runs(
    company: Company, domain: str, last: pd.Timestamp, run_id: str
) -> list[tuple[pd.Timestamp, str, pd.Timestamp]]:
    """Cutoff, run id and time of publication of every run, the one in force first."""
    runs = [(last, run_id, last + pd.DateOffset(days=40))]
    if company.history:
        earlier = pd.date_range(end=last - pd.DateOffset(months=1), periods=company.publications, freq="MS")
        runs += [(ds, f"{domain}-{ds:%Y-%m}-9876543210", ds + pd.DateOffset(days=40)) for ds in earlier]
    if company.republished:
        cutoff = last - pd.DateOffset(months=3)
        runs.append((cutoff, f"{domain}-{cutoff:%Y-%m}-{SUPERSEDED}", cutoff + pd.DateOffset(days=35)))
    return runs


def filled_in(company: Company, domain: str, first: pd.Timestamp) -> list[tuple[pd.Timestamp, str, pd.Timestamp]]:
    """Cutoff, run id and time of writing of the months that were filled in, and of one that was filled in twice; before `first`."""
    cutoffs = pd.date_range(end=first - pd.DateOffset(months=1), periods=company.filled, freq="MS")
    written = pd.Timestamp("2025-03-04 05:06")
    runs = [(cutoff, f"{domain}-{cutoff:%Y-%m}-5555555555", written) for cutoff in cutoffs]
    return [*runs, *((cutoff, name[:-10] + SUPERSEDED, at - pd.DateOffset(days=9)) for cutoff, name, at in runs[:1])]


def first_known(company: Company, domain: str, last: pd.Timestamp) -> pd.DataFrame:
    """The actuals as they were first known: like `aggregate`, but one series was lower in one month, if `restated`."""
    found = series(company, domain)
    if company.restated:
        earlier = (found["ds"] == last - pd.DateOffset(months=2)) & (found["unique_id"] == found["unique_id"].iloc[0])
        found.loc[earlier, "y"] = (found.loc[earlier, "y"] * 0.6).round(2)
    return aggregate(found)


def domain_tables(company: Company, domain: str) -> dict[str, pd.DataFrame]:
    """Every table of one domain."""
    actuals = aggregate(series(company, domain))
    last = actuals["ds"].max()
    cutoffs = pd.date_range(end=last - pd.DateOffset(months=6), periods=6, freq="MS")
    run_id = f"{domain}-{last:%Y-%m}-0123456789"
    walk = predictions(actuals, cutoffs, dict.fromkeys(MODELS, 0.0) if company.zero else MODELS)
    walk["evaluation_set"] = np.where(walk["cutoff"] >= cutoffs[-2], "held_out", "choice")
    runs = published_runs(company, domain, last, run_id)
    published = pd.concat(
        [
            predictions(
                actuals,
                pd.DatetimeIndex([cutoff]),
                {name: MODELS[name] for name in (CHAMPION, "seasonal_naive")},
                seed=7 + n,
            ).assign(run_id=name, status=lambda d: np.where(d["model_name"] == CHAMPION, "published", "baseline"))
            for n, (cutoff, name, _) in enumerate(runs)
        ]
    )
    filled = filled_in(company, domain, min(cutoff for cutoff, _, _ in runs))
    both = {name: MODELS[name] for name in (CHAMPION, "seasonal_naive")}
    backfill = [
        predictions(actuals, pd.DatetimeIndex([cutoff]), both, seed=70 + n).assign(run_id=name, status="backfill")
        for n, (cutoff, name, _) in enumerate(filled)
    ]
    known = first_known(company, domain, last)
    rows = pd.concat(
        [
            *(compared(found.assign(evaluation_set="all"), known, "backfill") for found in backfill),
            compared(walk.assign(run_id=run_id, status=None), actuals, "walk_forward"),
            compared(published.assign(evaluation_set="all"), known, "published"),
        ],
        ignore_index=True,
    )
    rows["previous_value"] = previous(rows)
    rows = rows if company.walk_forward else rows[rows["forecast_kind"] != "walk_forward"]
    made = {name: manifest(company, domain, name, cutoff) for cutoff, name, _ in runs}
    made |= {name: manifest(company, domain, name, cutoff) | {"backfill": True} for cutoff, name, _ in filled}
    publications = pd.DataFrame([{"run_id": name, "published_at": at} for _, name, at in runs])
    return {
        "monthly_actuals": actuals,
        "actual_vs_forecast": rows,
        "forecast_accuracy": accuracy(rows[~rows["run_id"].str.endswith(SUPERSEDED)]),
        "forecasts": bounds(published).assign(
            interval_pool="series",
            interval_n=108,
            is_fallback=False,
            model_version="1",
            prediction_time=pd.Timestamp("2024-02-10 08:30"),
        ),
        "publications": publications,
        "latest_runs": publications.assign(cutoff=last, champion=CHAMPION)[publications["run_id"] == run_id],
        "runs": pd.DataFrame(
            [
                {
                    "run_id": name,
                    "cutoff": cutoff,
                    "champion": CHAMPION,
                    "manifest": json.dumps(made[name]),
                    "published_at": at,
                }
                for cutoff, name, at in [*runs, *filled]
            ]
        ),
        **what_came_in(company, domain, actuals["ds"].min(), last),
    }


MEASURES = {"sales": "net amount", "inventory": "value at cost", "profit": "operating profit"}


def what_came_in(company: Company, domain: str, first: pd.Timestamp, last: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables on the facts of one domain: its calendar, and the month after the last, which is left out."""
    calendar = {
        "grain": "daily",
        "n_facts": 123456,
        "first_fact": pd.Timestamp("2020-01-01"),
        "last_fact": last + pd.DateOffset(days=45),
        "first_month": first,
        "last_month": last,
        "n_months": company.length(domain),
        "measure": MEASURES[domain],
    }
    left_out = {
        "ds": last + pd.DateOffset(months=1),
        "n_facts": 812,
        "amount": 51234.5,
        "reason": "the facts end before its third-last business day",
    }
    return {"domain_calendar": pd.DataFrame([calendar]), "left_out_months": pd.DataFrame([left_out])}


def build(path: Path, company: Company | None = None) -> Path:
    """Write the published database of a company and return its path."""
    company = company or Company()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    shutil.copyfile(made_once(f"published database of {company}", lambda new: write(new, company)), path)
    return path


def write(path: Path, company: Company) -> None:
    """Make the tables of a company and write them to a new database."""
    domains = {name: domain_tables(company, name) for name in company.domains}
    with duckdb.connect(str(path)) as connection:
        for table in next(iter(domains.values())):
            frame = pd.concat(
                [tables[table].assign(domain=name) for name, tables in domains.items()], ignore_index=True
            )
            connection.register("frame", frame)
            dates = [
                c
                for c in (
                    "ds",
                    "cutoff",
                    "first_cutoff",
                    "last_cutoff",
                    "first_month",
                    "last_month",
                    "first_fact",
                    "last_fact",
                )
                if c in frame
            ]
            casts = ", ".join(f"cast({name} as date) as {name}" for name in dates)
            connection.execute(
                f"create table {table} as select * " + (f"replace ({casts})" if dates else "") + " from frame"
            )
            connection.unregister("frame")
        for view in ("counted_forecasts", "counted_backfills"):
            connection.execute(f"create view {view} as {model(f'marts/{view}')}")


VARIANTS = {
    "usual": Company(),
    "published history": Company(history=True),
    "one series": Company(domains=("sales",), regions=("All",), categories=("All",)),
    "losses": Company(loss=True, beats=False),
    "all zero": Company(zero=True),
    "no back-test": Company(walk_forward=False, months=20),
    "no profit": Company(domains=("sales", "inventory"), unit="million USD"),
    "two last months": Company(
        domains=("sales", "inventory"), regions=("North",), categories=HARD_NAMES, history=True, behind=2
    ),
    "many series": Company(
        domains=("sales",), regions=tuple(f"R{i}" for i in range(20)), categories=tuple("ABCDEFGHIJKLMNO")
    ),
}
