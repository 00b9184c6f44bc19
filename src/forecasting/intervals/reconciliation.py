"""Making series, region, category and total agree, where each has a forecast of its own (hierarchicalforecast).

Three methods: `bottom_up` adds up the series' forecasts; `ols` and `wls_struct` let every node have its say and find the coherent
forecasts nearest to all of them, each node counting alike or by the number of its series (MinTrace: Wickramasuriya,
Athanasopoulos and Hyndman 2019). Which one a model gets is decided by its own past errors.

Up to DENSE_NODES nodes the projection is the library's matrix [series, nodes]. With more, the same forecasts are found from what series
and sums disagree in: x = b + W A' (A W A' + V)⁻¹ (s − A b), where b are the series' forecasts, s those of the sums, A says which series a
sum adds up, and W and V are how far series and sums may be off: the paper's J − J W U (U' W U)⁻¹ U', U being the constraints. The system
has a row per sum, and two sums meet only where they share series, so it is solved directly as a sparse one. (The library's own sparse
classes iterate, and at 100,000 series stop before they are there: docs/scale.md.)

`ols` and `wls_struct` move every series by the same amount. Of thousands, large and small, that helps the sums and ruins the small series,
so beyond DENSE_NODES it is `lcc` that is tried instead. Every node may be off by the square of its typical error (variance scaling:
Hyndman, Lee and Wang 2016), so a series moves as far as its size allows; but the errors of series are taken to be shared, not by chance
each its own: a month's surprise, and points below the mean, add up. So the sums keep what they say as far as they agree, and the series
share the difference (level conditional coherence: Hollyman, Petropoulos and Tipping 2021).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import splu

from forecasting.contracts import POINT, SERIES_KEY
from forecasting.errors import UserError
from forecasting.series import Hierarchy, Observed, in_order

METHODS = ("bottom_up", "ols", "wls_struct")
OF_MANY = ("bottom_up", "lcc")  # beyond DENSE_NODES
SIMPLEST = METHODS[0]
LEAST_GAIN = 0.01  # of the error: below it a difference is chance, and the plain sum is easier to explain
DENSE_NODES = 500  # up to which the projection is a dense matrix
FEWEST_CUTOFFS = 3  # that measure the methods: one or two share the surprise of one month


def candidates(hierarchy: Hierarchy) -> tuple[str, ...]:
    """Return the methods of which a hierarchy's models each get the one that did best."""
    return METHODS if len(hierarchy.nodes) <= DENSE_NODES else OF_MANY


def used(columns: Iterable[str]) -> list[str]:
    """Return the methods among some columns, in their order."""
    return [method for method in dict.fromkeys((*METHODS, *OF_MANY)) if method in columns]


def projection(method: str, members: np.ndarray) -> np.ndarray:
    """Return what turns forecasts of all nodes into forecasts of the series [series, nodes].

    `members` [nodes, series] is true where the series belongs to the node; the series themselves are its last rows.
    """
    return _projection(method, members.shape, members.astype(bool).tobytes())


@lru_cache(maxsize=32)  # cutoffs mostly share one hierarchy
def _projection(method: str, shape: tuple[int, int], members: bytes) -> np.ndarray:
    """Ask the library; the summing matrix comes as bytes, so that it can be a key."""
    from hierarchicalforecast.methods import BottomUp, MinTrace  # its import takes a second

    summing = np.frombuffer(members, dtype=bool).reshape(shape).astype(float)
    reconciler = BottomUp() if method == SIMPLEST else MinTrace(method)
    return reconciler.fit(S=summing, y_hat=np.zeros((len(summing), 1))).P


def reconcile(rows: pd.DataFrame, observed: Observed, cut: bool, methods: Sequence[str] | None = None) -> pd.DataFrame:
    """Give raw forecasts of one or more models the coherent points of each method.

    Parameters
    ----------
    rows: RAW_BACKTEST_COLUMNS, or some of them with aggregation, unique_id, cutoff, horizon, model_name: every node of the series
    that there are at a cutoff.
    observed: with the hierarchy of every series, and its history: one that is `series.still` keeps its own forecast.
    cut: whether a series' point below zero counts as zero in the sums (the sign policy).
    methods: those that are asked for; None: the `candidates`.

    Returns
    -------
    The rows in order of cutoff, model_name, horizon and node (its number in the hierarchy), with region, product_category and one column
    per method. A series' point is as the method found it, below zero or not; a sum is the sum of its series' points. is_fallback is true
    of a sum where it is true of every series in it.

    Raises
    ------
    UserError
        If a method is asked for that this version does not know.
    """
    if unknown := set(methods or ()) - {*METHODS, *OF_MANY}:
        raise UserError(
            f"These models were trained by another version, which made sums agree by «{min(unknown)}»: this one does not know it. Train "
            "them anew: make monthly RETRAIN=1."
        )
    hierarchy, methods = observed.hierarchy, methods or candidates(observed.hierarchy)
    node, model = hierarchy.numbers(rows), pd.factorize(rows["model_name"], sort=True)[0]
    order = np.lexsort([node, rows["horizon"], model, rows["cutoff"]])
    order = order[node[order] >= 0]
    keys = hierarchy.nodes[SERIES_KEY[1:]].iloc[node[order]].reset_index(drop=True)
    placed = pd.concat([rows.iloc[order].reset_index(drop=True).assign(node=node[order]), keys], axis=1)
    parts = [_at_cutoff(part, observed, cutoff, cut, methods) for cutoff, part in placed.groupby("cutoff", sort=True)]
    return pd.concat(parts, ignore_index=True) if parts else placed.assign(**dict.fromkeys(methods, 0.0))


def _at_cutoff(
    rows: pd.DataFrame, observed: Observed, cutoff: pd.Timestamp, cut: bool, methods: Sequence[str]
) -> pd.DataFrame:
    """Reconcile the rows of one cutoff: all models and horizons side by side, as they share the hierarchy.

    A series that fell back to zero has ended, or never began: it stays zero and takes no part. Neither does one that is still: no sum
    knows it better than it does.
    """
    everything, unchanged = observed.hierarchy, observed.still(cutoff)
    there = np.unique(rows["node"])
    hierarchy, nodes = everything.only(there[there < everything.n_series])
    _require_all_nodes(rows, nodes)
    n = hierarchy.n_series
    base = rows[POINT].to_numpy().reshape(-1, len(nodes)).T  # [nodes, forecasts]
    fallback = rows["is_fallback"].to_numpy().reshape(-1, len(nodes)).T[:n]
    fixed = np.isin(nodes[:n], unchanged)[:, None] | (fallback & (base[:n] == 0))
    variance = observed.scales(cutoff)["typical_error"][nodes] ** 2 if "lcc" in methods else np.ones(len(nodes))
    pattern = pd.factorize(np.array([column.tobytes() for column in fixed.T], dtype=object))[0]
    points = {method: np.empty_like(base) for method in methods}
    for number in range(pattern.max(initial=-1) + 1):
        columns = pattern == number
        living = ~fixed[:, columns.argmax()]
        for method in methods:
            series = base[:n, columns] + 0.0  # no «-0.0»
            if method != SIMPLEST:
                series[living] = _coherent_series(base[:, columns], hierarchy, living, method, variance)
            sums = hierarchy.add_up(np.maximum(series, 0.0) if cut else series)
            points[method][:, columns] = np.concatenate([series, sums[n:]])
    spoken = hierarchy.add_up((~fallback).astype(float)) > 0
    return rows.assign(is_fallback=~spoken.T.ravel(), **{name: found.T.ravel() for name, found in points.items()})


def _require_all_nodes(rows: pd.DataFrame, nodes: np.ndarray) -> None:
    """Raise a ValueError unless every model forecasts every node, at each horizon: side by side, they would be mixed up."""
    places = rows["node"].to_numpy()
    if len(places) % len(nodes) or (places.reshape(-1, len(nodes)) != nodes).any():
        raise ValueError(
            f"At the cutoff {rows['cutoff'].iloc[0]} the models do not all forecast the same series and sums."
        )


def _coherent_series(
    base: np.ndarray, hierarchy: Hierarchy, living: np.ndarray, method: str, variance: np.ndarray
) -> np.ndarray:
    """Return the points of the living series [living, forecasts] from those of all nodes [nodes, forecasts].

    The others keep their points, so a sum speaks of what is left of it. A sum without living series, and one that has the same members
    as a node before it, says nothing of its own. `variance` [nodes] is what `lcc` weighs by.
    """
    n = hierarchy.n_series
    own = hierarchy.first_alike() == np.arange(len(base))
    sums = n + np.flatnonzero(own[n:] & (hierarchy.members[n:] @ living.astype(float) > 0))
    if method != "lcc" and len(base) <= DENSE_NODES:
        fixed = np.where(living[:, None], 0.0, base[:n])
        base = base - np.concatenate([np.zeros_like(fixed), hierarchy.add_up(fixed)[n:]])
        order = np.concatenate([sums, np.flatnonzero(living)])
        members = hierarchy.members[order][:, living].toarray().astype(bool)
        return in_order(projection(method, members), base[order])
    if method == "lcc":
        sums = sums[variance[sums] > 0]  # a sum of which nothing is known but its level says nothing
        weights, spread = shared(np.nan_to_num(variance[:n][living])), variance[sums]
    else:
        weights = np.ones(living.sum())
        spread = hierarchy.members[sums] @ living.astype(float) if method == "wls_struct" else np.ones(len(sums))
    return base[:n][living] + _moves(base, hierarchy, living, sums, weights, spread)


def shared(variance: np.ndarray) -> np.ndarray:
    """Return variances [series] in the same proportions, whose sum is the variance of all errors together if they all have one sign."""
    together = variance.sum()
    return variance * (np.sqrt(variance).sum() ** 2 / together) if together > 0 else variance


def _moves(
    base: np.ndarray,
    hierarchy: Hierarchy,
    living: np.ndarray,
    sums: np.ndarray,
    weights: np.ndarray,
    spread: np.ndarray,
) -> np.ndarray:
    """Return how far the living series move [living, forecasts], so that these sums have their say: W A' (A W A' + V)⁻¹ (s − A b).

    `weights` is W's diagonal [living], `spread` V's [sums]; the system is solved in units of the square roots of V, so that sums of any
    size do.
    """
    if not len(sums):
        return np.zeros((living.sum(), base.shape[1]))
    members = hierarchy.members[sums]
    gaps = base[sums] - members @ base[: hierarchy.n_series]
    unit = np.sqrt(spread)
    scaled = sparse.diags_array(1.0 / unit) @ members[:, living]
    system = sparse.csc_array((scaled * weights) @ scaled.T + sparse.eye_array(len(sums)))
    factors = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    said = np.column_stack(
        [factors.solve(gap) for gap in (gaps / unit[:, None]).T]
    )  # one by one: the same bits whatever stands beside
    return weights[:, None] * (scaled.T @ said)


class ChosenMethod(NamedTuple):
    """The method in force, and the error of each method that it was chosen by: empty where nothing is known yet."""

    method: str
    mase: dict[str, float]


def choose_method(errors: pd.DataFrame) -> ChosenMethod:
    """Choose the method with the lowest error on past forecasts of one model.

    The error is the mean of the aggregations' MASE, so that the many series do not outvote the sums. `bottom_up` stays unless
    another is better by 1 %, measured on at least three cutoffs.

    Parameters
    ----------
    errors: one row per past forecast of a node: aggregation, cutoff and each method's absolute error, in the scale that the node had
    at that cutoff.
    """
    mase = errors.groupby("aggregation", observed=True)[used(errors.columns)].mean().mean()
    found = {name: float(value) for name, value in mase.items() if np.isfinite(value)}
    best = min(found, key=found.__getitem__, default=SIMPLEST)
    enough = errors["cutoff"].nunique() >= FEWEST_CUTOFFS
    better = enough and found[best] < (1 - LEAST_GAIN) * found[SIMPLEST]
    return ChosenMethod(best if better else SIMPLEST, found)
