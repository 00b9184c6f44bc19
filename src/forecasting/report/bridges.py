"""From the forecast published before to this one: how much came of new data, how much of a change of model.

Both forecasts are compared over the months that both reach. The difference is split by a forecast in the middle, which shares
the data with one and the model with the other; the two steps add up to the whole difference whatever the numbers are. What the
ledger holds decides which split is honest, the first that applies:

1. The model, its settings, the code of its steps and the libraries are the same (the manifests' stamps): all of the difference
   comes from the data, the months that became known and those that were restated.
2. The model before was published with the present data as well, because the model was changed after that. First the data (that
   forecast − the one before), then the model (the present one − that forecast).
3. The present run's walk-forward holds what the present model says at the earlier cutoff, for every month compared. First the
   model (that forecast − the one before), then the data. It sees the history as it is known today, so the restatement of a month
   before that cutoff counts with the model here.
4. Else one step stands for both.

Where months that were published before have other values now, that is a step of its own. Between two forecasts of the same model from
the same months it is all of the difference. Else it is measured: what the present model forecasts from the past as it is known now less
what it forecasts from the past as the earlier run knew it (notebook 40 makes both, `Domain.effects`). Where an older version published
the run, or only whole series were renamed, it is what a forecast takes over that repeats last year: by how much the same month of the
year before was restated. It is taken from the step of the data (in 3, of the model), so the steps add up in either case.

What people changed is the last step: the overrides of this forecast less those that the earlier one had in these months. Both ends are the
forecasts as they count, overrides included; the steps before it are those of the models' forecasts alone.

A run that was made again at the same cutoff is no new month. The earlier forecast is therefore that of the latest run of an
earlier cutoff; only where there is none is the one published before at the same cutoff taken, and its difference named for what
it is.
"""

from dataclasses import dataclass

import pandas as pd

from forecasting.contracts import AGGREGATIONS, ALL
from forecasting.ledger import Domain, Published, at
from forecasting.run import Manifest

KEY = ["aggregation", "unique_id", "region", "product_category", "ds"]
MODEL, DATA, BOTH, RESTATED, PEOPLE = "model", "data", "both", "restated", "people"
# The check of the data and the monitor change no forecast; who trained, `trained` says
NO_RECIPE = ("10_", "50_", "20_")


@dataclass(frozen=True)
class Bridge:
    """The way from an earlier forecast to the present one.

    Attributes
    ----------
    cutoff, champion: the last month that the earlier forecast knew, and the model that made it
    is_same_cutoff: the earlier forecast knew the same months
    months: the months that both forecast, in order of time; none where they do not meet
    steps: what changed, in order: 'model' and 'data', one of them, or 'both' where they cannot be told apart; 'restated' before what
        it was taken from; 'people' at the end, where one of the forecasts has overrides in these months
    rows: one row per aggregation, series and month: before, a column per step, after, in the domain's unit; before plus the
        steps is after. A series that only one of the forecasts has counts as 0 in the other.
    is_measured: the step of the restatement is what the present model makes of it, not what repeating last year would
    again: the model of an earlier run at the present cutoff, beside a bridge from an earlier cutoff; else None
    other_unit: the earlier forecast's unit where it was another, so that no months can be compared; None where it is the same
    """

    cutoff: pd.Timestamp
    champion: str
    is_same_cutoff: bool
    months: list[pd.Timestamp]
    steps: list[str]
    rows: pd.DataFrame
    again: str | None
    other_unit: str | None = None
    is_measured: bool = False


def bridge(path: str, domain: Domain) -> Bridge | None:
    """Return the way from the forecast published before to the present one; None where none was."""
    run_id, cutoff = domain.manifest.run_id, domain.manifest.cutoff
    published = Published(path)
    runs = published.earlier_runs(domain.name, run_id, cutoff)
    if runs.empty:
        return None
    earlier, same_cutoff = runs.iloc[0], runs[runs["is_same_cutoff"]]
    if earlier["manifest"].unit != domain.unit:
        return apart(earlier)
    levels = tuple(level for level in AGGREGATIONS if level != "series" or level not in domain.in_sight)
    before, after = published.forecasts(earlier["run_id"], aggregations=levels), domain.future
    after = after[after["aggregation"].isin(levels)]
    order, middle = middle_forecast(published, domain, earlier, same_cutoff, levels)
    steps, rows = split(before, after, order, middle)
    measured = effect_since(domain, earlier["run_id"])
    steps, rows = with_restatement(domain, steps, rows, bool(earlier["is_same_cutoff"]), measured)
    steps, rows = with_overrides(steps, rows, before, after)
    again = same_cutoff["champion"]
    return Bridge(
        cutoff=earlier["cutoff"],
        champion=earlier["champion"],
        is_same_cutoff=bool(earlier["is_same_cutoff"]),
        months=sorted(rows["ds"].unique()),
        steps=steps,
        rows=rows,
        again=None if earlier["is_same_cutoff"] or again.empty else again.iloc[0],
        is_measured=len(measured) > 0 and RESTATED in steps and set(steps) - {RESTATED, PEOPLE} != set(),
    )


def apart(earlier: pd.Series) -> Bridge:
    """Return the bridge to a run whose forecast has another unit: it has no months and no steps."""
    rows, unit = pd.DataFrame(columns=[*KEY, "before", "after"]), earlier["manifest"].unit
    is_same_cutoff = bool(earlier["is_same_cutoff"])
    return Bridge(earlier["cutoff"], earlier["champion"], is_same_cutoff, [], [], rows, None, unit)


def middle_forecast(
    published: Published, domain: Domain, earlier: pd.Series, same_cutoff: pd.DataFrame, levels: tuple[str, ...]
) -> tuple[list[str], pd.DataFrame | None]:
    """Return the steps in order, and for two of them the forecast between (KEY, predicted_value).

    `earlier` is the run before, `same_cutoff` the other runs at the present cutoff, the one published last first.
    """
    present = domain.manifest
    other_model, other_data = is_other_model(earlier["manifest"], present), is_other_data(earlier["manifest"], present)
    if not (other_model and other_data):
        return [MODEL if other_model else DATA], None
    for run in same_cutoff.to_dict("records"):
        if not (is_other_model(earlier["manifest"], run["manifest"]) or is_other_data(run["manifest"], present)):
            return [DATA, MODEL], published.forecasts(run["run_id"], aggregations=levels)
    return [MODEL, DATA], published.said_at(present.run_id, earlier["cutoff"].date(), levels)


def is_other_model(before: Manifest, after: Manifest) -> bool:
    """Return from the manifests of two runs whether they would make different forecasts of the same data."""

    def recipe(manifest: Manifest) -> tuple:
        """Return the model, the stamps of the steps that make a forecast and the libraries."""
        steps = {name: stamp for name, stamp in manifest.steps.items() if not name.startswith(NO_RECIPE)}
        return manifest.champion.name, manifest.trained.steps, steps, manifest.lock

    return recipe(before) != recipe(after)


def is_other_data(before: Manifest, after: Manifest) -> bool:
    """Return from the manifests of two runs whether their training sets differ."""
    return before.fingerprint != after.fingerprint


def split(
    before: pd.DataFrame, after: pd.DataFrame, order: list[str], middle: pd.DataFrame | None
) -> tuple[list[str], pd.DataFrame]:
    """Return the steps and, for the months that both forecasts have, each series' values (see `Bridge.rows`).

    All tables are KEY, predicted_value. A middle forecast that lacks a month of the total cannot part two steps.
    """
    months = set(before["ds"]) & set(after["ds"])
    first, last = (points(rows, months) for rows in (before, after))
    rows = pd.concat({"before": first, "after": last}, axis=1).fillna(0.0).sort_index()
    if len(order) == 2 and months <= set(at(middle, "total")["ds"]):
        between = points(middle, months).reindex(rows.index).fillna(0.0)
        steps = order
        rows = rows.assign(**{steps[0]: between - rows["before"], steps[1]: rows["after"] - between})
    else:
        steps = [BOTH] if len(order) == 2 else order
        rows = rows.assign(**{steps[0]: rows["after"] - rows["before"]})
    return steps, rows.reset_index()[[*KEY, "before", *steps, "after"]]


def with_restatement(
    domain: Domain,
    steps: list[str],
    rows: pd.DataFrame,
    is_same_cutoff: bool,
    measured: dict[tuple, float] | None = None,
) -> tuple[list[str], pd.DataFrame]:
    """Give what was restated a step of its own; nothing changes where nothing was.

    `measured` is what it did to the present forecast (`effect_since`); without it the year before stands for that.
    """
    if domain.restated.empty or rows.empty or steps == [MODEL]:
        return steps, rows
    if is_same_cutoff and steps == [DATA]:
        return [RESTATED], rows.rename(columns={DATA: RESTATED})
    source = MODEL if steps == [MODEL, DATA] else BOTH if BOTH in steps else DATA
    keys = rows[KEY].itertuples(index=False, name=None)
    taken = [measured.get(key, 0.0) for key in keys] if measured else restated_a_year_before(domain, rows)
    at_source = steps.index(source)
    return [*steps[:at_source], RESTATED, *steps[at_source:]], rows.assign(
        **{RESTATED: taken, source: rows[source] - taken}
    )


def effect_since(domain: Domain, run_id: str) -> dict[tuple, float]:
    """Return by KEY what months restated since an earlier run did to the forecast in force; nothing where that was not measured."""
    rows = domain.effects
    rows = rows[(rows["run_id"] == domain.manifest.run_id) & (rows["known_by"] == run_id)]
    return dict(zip(rows[KEY].itertuples(index=False, name=None), rows["change"], strict=True))


def restated_a_year_before(domain: Domain, rows: pd.DataFrame) -> list[float]:
    """Return for each row (KEY) by how much the latest known same month of a year before was restated."""
    moved: dict[tuple, float] = {}
    for one in domain.restated.itertuples():
        region, category = one.region, one.product_category
        nodes = {
            "series": (region, category),
            "region": (region, ALL),
            "category": (ALL, category),
            "total": (ALL, ALL),
        }
        for aggregation, names in nodes.items():
            key = (aggregation, *names, one.ds)
            moved[key] = moved.get(key, 0.0) + one.change
    last = domain.last_month
    years = -(-((rows["ds"].dt.year - last.year) * 12 + rows["ds"].dt.month - last.month) // 12)
    before = [ds - pd.DateOffset(years=int(n)) for ds, n in zip(rows["ds"], years, strict=True)]
    keys = zip(rows["aggregation"], rows["region"], rows["product_category"], before, strict=True)
    return [moved.get(key, 0.0) for key in keys]


def with_overrides(
    steps: list[str], rows: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame
) -> tuple[list[str], pd.DataFrame]:
    """Give what people changed a step of its own, and both ends their overrides; nothing changes where nobody overrides either."""
    months, index = set(rows["ds"]), pd.MultiIndex.from_frame(rows[KEY])
    moved = [
        (points(forecast, months, "final_value") - points(forecast, months)).reindex(index).fillna(0.0).to_numpy()
        for forecast in (before, after)
    ]
    if not any(part.any() for part in moved):
        return steps, rows
    first, last = moved
    ends = {"before": rows["before"] + first, PEOPLE: last - first, "after": rows["after"] + last}
    return [*steps, PEOPLE], rows.assign(**ends)[[*KEY, "before", *steps, PEOPLE, "after"]]


def points(rows: pd.DataFrame, months: set[pd.Timestamp], column: str = "predicted_value") -> pd.Series:
    """Return the forecasts of some months by KEY."""
    return rows[rows["ds"].isin(months)].set_index(KEY)[column]
