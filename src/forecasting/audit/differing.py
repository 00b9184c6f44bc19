"""What differs between then and now: code, packages and settings of a run, and its forecasts made again."""

import importlib.metadata
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecasting import pipeline
from forecasting.run import Workspace, git_commit, stamps

KEY = ["aggregation", "unique_id", "model_name", "horizon"]
VALUES = ["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]
NOT_FORECASTING = "50_"  # steps that watch and change no forecast


class Apart(NamedTuple):
    """How far two sets of forecasts are apart: rows in both, of which not the same bit for bit; rows in one alone; where it is most."""

    n: int
    n_other: int
    only_then: int
    only_now: int
    largest: float  # of |now − then| in proportion to the larger of the two
    where: dict[str, Any] | None

    @property
    def is_same(self) -> bool:
        """Whether every forecast is there and the same, bit for bit."""
        return not (self.n_other or self.only_then or self.only_now)


def code_differences(workspace: Workspace, said: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what differs of the code: commit, packages, lock and the stamp of each step, with the run's own settings.

    A step's stamp holds its text, the modules that it imports, its settings and the lock.
    """
    found = [difference("git commit", said.get("git_commit"), git_commit(workspace.root))]
    found += [
        difference(f"package {name}", then, installed(name)) for name, then in (said.get("versions") or {}).items()
    ]
    found.append(difference("lock of the packages", said.get("lock"), stamps.lock_hash(workspace.root)))
    trained_by = (said.get("trained") or {}).get("run_id", "")
    for step, then in (said.get("steps") or {}).items():
        found.append(
            difference(f"step {step}", then, pipeline.stamp_today(workspace, step, said["params"], trained_by))
        )
    return [each for each in found if each["then"] != each["now"]]


def setting_differences(workspace: Workspace, said: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings that a run of today would have otherwise; the run is made again with its own."""
    then, now = said.get("params") or {}, workspace.settings(said["domain"])
    pairs = [difference(f"setting {name}", then.get(name), now.get(name)) for name in sorted({*then, *now})]
    return [each for each in pairs if each["then"] != each["now"]]


def difference(what: str, then: Any, now: Any) -> dict[str, Any]:
    """Return something that may differ."""
    return {"what": what, "then": then, "now": now}


def installed(package: str) -> str | None:
    """Return the installed version of a package, None where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def apart(then: pd.DataFrame, now: pd.DataFrame) -> Apart:
    """Compare forecasts (KEY, VALUES) bit for bit, and say how far they are apart where they are not the same."""
    tables = [each.drop_duplicates(KEY)[[*KEY, *VALUES]] for each in (then, now)]
    both = tables[0].merge(tables[1], on=KEY, how="outer", suffixes=("_then", "_now"), indicator=True)
    shared = both[both["_merge"] == "both"].reset_index(drop=True)
    old, new = (shared[[f"{name}_{when}" for name in VALUES]].to_numpy(dtype=float) for when in ("then", "now"))
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(new - old) / np.maximum(np.abs(old), np.abs(new))
    size = np.where(same, 0.0, np.where(np.isnan(size), np.inf, size)).max(axis=1, initial=0.0)
    where = None
    if len(size) and size.max() > 0:
        row = shared.loc[size.idxmax()]
        where = {
            **{name: row[name] for name in KEY},
            "then": float(row["predicted_value_then"]),
            "now": float(row["predicted_value_now"]),
        }
        where["horizon"] = int(where["horizon"])
    counts = both["_merge"].value_counts()
    return Apart(len(shared), int((~same).any(axis=1).sum()), int(counts["left_only"]), int(counts["right_only"]),
                 float(size.max(initial=0.0)), where)  # fmt: skip
