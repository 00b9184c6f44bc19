"""The folder of one domain's run: what a step reads and what it leaves for the next one.

A notebook opens it with its only path, `run_dir`; names of files are known here and nowhere else.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.contracts import FLOWS, BackTest
from forecasting.errors import UserError
from forecasting.files import write_if_changed
from forecasting.run.records import Trained

if TYPE_CHECKING:  # pandas takes half a second, and most commands find nothing to do
    import pandas as pd

# Which notebook leaves which file: to say what to run where one is missing.
MADE_BY = {
    "run.json": "make data",
    "facts.json": "make data",
    "tests.json": "make data",
    "due.parquet": "make data",
    "known.parquet": "make data",
    "quiet.parquet": "make data",
    "before.json": "make data",
    "monitor.json": "50_monitor",
    "check.json": "10_check_data",
    "cutoffs.parquet": "10_check_data",
    "series.parquet": "10_check_data",
    "champion.json": "30_evaluate",
    "evaluation.parquet": "30_evaluate",
    "leaderboard.parquet": "30_evaluate",
    "scores.parquet": "30_evaluate",
    "significance.json": "30_evaluate",
    "forecasts.parquet": "40_forecast",
    "explanation.json": "40_forecast",
    "restated_forecasts.parquet": "40_forecast",
}
# What the notebook of a model's family leaves for the model (`RunFolder.write_backtest`).
OF_MODEL = re.compile(r"(?:said_|calibrated_|cut_|calibration/)(.+)\.\w+")
SHARDS = "shards"  # folder of the parts of a step in which many series are forecast


@dataclass(frozen=True)
class RunFolder:
    """One domain's run. `experiment` is the MLflow experiment, `steps` the stamp of each step (none by hand), `kept` whether its models
    were trained in an earlier run, `engine` where many series are forecast (`params/`: kind, address, processes).
    """

    path: Path
    domain: str
    workspace: str
    experiment: str
    steps: dict[str, str]
    kept: bool = False
    engine: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open the folder of a domain.

        Raises
        ------
        UserError
            If the folder was not prepared.
        """
        path = Path(path)
        if not (path / "run.json").exists():
            raise UserError(f"There is no run in {path.name or path}: `make lab` (or `make data`) prepares it.")
        return cls(path, **json.loads((path / "run.json").read_text(encoding="utf-8")))

    @property
    def is_flow(self) -> bool:
        """Whether the domain sums over a month (sales, profit) rather than counts at its end (inventory)."""
        return self.domain in FLOWS

    @property
    def shards(self) -> Path:
        """The folder in which parts of a step are kept until it is done, so that a stopped one goes on."""
        return self.path / SHARDS

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody runs the notebooks in JupyterLab, rather than make in one go."""
        return self.experiment != self.domain

    def training_set(self) -> pd.DataFrame:
        """Return the training set: one row per unique_id and ds, in that order."""
        return self.read_table(f"train_{self.domain}")

    def cutoffs(self) -> pd.DataFrame:
        """Return the cutoffs that notebook 10 planned and what each is for, in order of time: cutoff, evaluation_set."""
        return self.read_table("cutoffs")

    def trained(self) -> Trained:
        """Return which run's models are kept.

        Raises
        ------
        UserError
            If none are, because the models are trained in this run.
        """
        if not (self.path / "trained.json").exists():
            raise UserError(
                f"{self.domain}: no models are kept here; `make monthly` keeps them where no retrain is due."
            )
        return Trained.from_json(self.read_json("trained"))

    def read_table(self, name: str) -> pd.DataFrame:
        """Read `<name>.parquet`; dates come as datetime64[ns]."""
        return read_parquet(self.require(f"{name}.parquet"))

    def write_table(self, name: str, frame: pd.DataFrame) -> None:
        """Write `<name>.parquet` in one step; the file keeps its time where the content is the same."""
        write_if_changed(self.path / f"{name}.parquet", frame.to_parquet(index=False))

    def write_parts(self, name: str, parts: Iterable[pd.DataFrame]) -> None:
        """Write what `write_table` would write of all these tables, one below the other, while only one of them is held."""
        from forecasting.run.parts import write_parts  # pyarrow takes a while, and most commands need it not

        write_parts(self.path / f"{name}.parquet", parts)

    def read_json(self, name: str) -> Any:
        """Read `<name>.json`."""
        return json.loads(self.require(f"{name}.json").read_text(encoding="utf-8"))

    def write_json(self, name: str, content: Any) -> None:
        """Write `<name>.json` with sorted keys; unknown numbers (nan) are refused."""
        (self.path / name).parent.mkdir(exist_ok=True)
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        write_if_changed(self.path / f"{name}.json", text)

    def write_backtest(self, model: str, made: BackTest) -> pd.DataFrame:
        """Write a model's back-test, for those who combine, compare and forecast; return its calibrated rows."""
        self.write_table(f"said_{model}", made.raw)
        self.write_table(f"calibrated_{model}", made.rows)
        self.write_json(f"cut_{model}", made.cut)
        self.write_json(f"calibration/{model}", made.calibration)
        return made.rows

    def write_trained(self, family: str, models: list[str]) -> None:
        """Note which models of a family there are; what parts of their back-tests were kept for a stopped step can go."""
        self.write_json(f"trained_{family}", models)
        for model in models:
            shutil.rmtree(self.path / SHARDS / model, ignore_errors=True)

    def calibrated(self, model: str) -> pd.DataFrame:
        """Return the calibrated rows of a model's back-test (BACKTEST_COLUMNS)."""
        return self.read_table(f"calibrated_{model}")

    def cut(self, models: list[str]) -> dict[str, int]:
        """Return how many points and bounds of these models' back-tests were cut at zero."""
        counts = [self.read_json(f"cut_{model}") for model in models]
        return {what: sum(count[what] for count in counts) for what in counts[0]}

    def said(self, families: list[str]) -> pd.DataFrame:
        """Return the raw walk-forward forecasts of all models of these families, one below the other, months to come included."""
        import pandas as pd

        return pd.concat([self.read_table(f"said_{name}") for name in self.model_names(families)], ignore_index=True)

    def model_names(self, families: list[str]) -> list[str]:
        """Return the names of the models of these families, in this order, as their notebooks noted them (`trained_<family>.json`)."""
        return [name for family in families for name in self.read_json(f"trained_{family}")]

    def known_before(self) -> tuple[str | None, pd.DataFrame]:
        """Return the run published before and the months that it knew otherwise (`known_before.json`): unique_id, ds, y as it was.

        y is NaN where there was no such month; there are no rows where nothing was restated.
        """
        import pandas as pd

        found = self.read_json("known_before")
        months = pd.DataFrame(found["months"], columns=["unique_id", "ds", "y"])
        return found["run_id"], months.astype({"ds": "datetime64[ns]", "y": float})

    def require(self, name: str) -> Path:
        """Return the path of a file of this run, or say which notebook makes it."""
        path = self.path / name
        if not path.exists():
            raise UserError(f"{self.domain}: {name} is not there yet; run {self.made_by(name)} first.")
        return path

    def made_by(self, name: str) -> str:
        """Return which notebook, or target of make, leaves a file of this folder."""
        if found := OF_MODEL.fullmatch(name):
            notes = (note.stem for note in self.path.glob("trained_*.json"))
            name = next((note for note in notes if found[1] in self.read_json(note)), "trained_…")
        if name.startswith("trained_"):
            family = Path(name).stem.removeprefix("trained_")
            return "25_combine" if family == "combination" else f"20_train_{family}"
        return MADE_BY.get(name, "make data")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table that a step has written; dates come as datetime64[ns]."""
    import pandas as pd

    frame = pd.read_parquet(path)
    for column in ("ds", "cutoff"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[ns]")
    return frame


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows for JSON: dates as ISO strings, numbers as Python's own, unknown values as None."""
    return [{str(key): plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def plain(value: Any) -> Any:
    """Return one value for JSON."""
    import pandas as pd

    if pd.isna(value):
        return None
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    return value.item() if hasattr(value, "item") else value
