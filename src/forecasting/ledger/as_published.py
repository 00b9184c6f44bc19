"""Accuracy as it was published: the marts' own SQL, over what the ledger held and what was known at that moment.

The past may have been restated since, champions may have changed, later forecasts may have met their month: none of it is in these
figures. They are those that `forecast_accuracy` gave when the run was published.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import jinja2
import pandas as pd

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.ledger import database
from forecasting.ledger.reader import NothingPublished, Unknown
from forecasting.ledger.tables import SERIES_LEVELS
from forecasting.ledger.training_changes import known_by
from forecasting.run import Manifest, Workspace, identity
from forecasting.series import with_levels

# The run, and the moment of the publication: of the one in force at the end of a day (UTC), of a run's first, else the latest.
MOMENT = """
    select runs.run_id, publications.published_at as moment, runs.manifest, runs.cutoff, runs.champion
    from publications inner join runs using (run_id)
    where publications.domain = $domain and ($run_id is null or run_id = $run_id)
        and ($day is null or publications.published_at::date <= $day::date)
    order by publications.published_at
"""
# What the ledger held then. Actuals are only added, and the first value known of a month stays the first.
HELD = {
    "publications": "select * from publications where published_at <= (select moment from then_moment)",
    "runs": "select * from runs where published_at <= (select moment from then_moment)",
    "forecasts": "select * from forecasts semi join then_runs using (run_id)",
    "backtests": "select * from backtests semi join then_runs using (run_id)",
    "override_revisions": "select * from override_revisions where made_at <= (select moment from then_moment)",
    "overridden_forecasts": "select * from overridden_forecasts where made_at <= (select moment from then_moment)",
}
# dbt's models from there to the figures, each after those that it refers to.
MODELS = (
    "predictions/latest_runs", "marts/counted_forecasts", "marts/counted_backfills", "marts/monthly_actuals",
    "marts/first_known_actuals", "marts/counted_overrides", "marts/actual_vs_forecast", "marts/forecast_accuracy",
)  # fmt: skip


@dataclass(frozen=True)
class AsPublished:
    """A domain's rows of `forecast_accuracy` as a run's publication gave them, at `published_at` (UTC); `unit` is what amounts count."""

    run_id: str
    cutoff: pd.Timestamp
    champion: str
    unit: str
    published_at: dt.datetime
    accuracy: pd.DataFrame


def accuracy_as_published(
    workspace: Workspace, domain: str, day: str | None = None, run_id: str | None = None
) -> AsPublished:
    """Return the accuracy of a domain as it was published: by a run, or by the run in force at the end of a day (UTC), else the latest.

    Raises
    ------
    Unknown, NothingPublished
        If there is no such domain or run, or nothing had been published by that day.
    UserError
        If what the run knew was not kept, or is not what it was.
    """
    if domain not in DOMAINS:
        raise Unknown(f"DOMAIN={domain!r} is no domain: say DOMAIN={', DOMAIN='.join(DOMAINS)}.")
    with database.connect(workspace.warehouse) as connection:
        require_kept(connection)
        moment = connection.execute(MOMENT, {"domain": domain, "run_id": run_id, "day": day}).df()
        if moment.empty:
            raise nothing(connection, domain, day, run_id)
        row = moment.iloc[0 if run_id else -1]
        train, manifest = known_by(connection, row["run_id"], domain), Manifest.read(row["manifest"])
        levels = manifest.params.get("levels", {})
        if levels:
            train = with_levels(train, connection.execute(SERIES_LEVELS, {"levels": list(levels)}).df())
        require_same(train, manifest)
        accuracy = _accuracy(connection, workspace.root / "dbt", domain, train, row[["moment"]].to_frame().T, levels)
    moment_of = row["moment"].to_pydatetime()
    return AsPublished(row["run_id"], row["cutoff"], row["champion"], manifest.unit, moment_of, accuracy)


def require_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise a UserError if the warehouse is of a version whose ledger did not keep what each run knew."""
    kept = connection.execute("select 1 from duckdb_tables() where table_name = 'training_changes'").fetchone()
    if not kept:
        raise UserError(
            "warehouse.duckdb is of an older version of the project: run `make report` once. Accuracy can be shown as it was published "
            "from then on; the editions of earlier reports have theirs."
        )


def nothing(
    connection: duckdb.DuckDBPyConnection, domain: str, day: str | None, run_id: str | None
) -> NothingPublished | Unknown:
    """Return the error that says what was published, where what was asked for was not."""
    if run_id is None:
        return NothingPublished(
            f"Nothing of {domain} {f'had been published by {day}' if day else 'has been published yet'}."
        )
    known = connection.execute(
        "select run_id from publications where domain = ? group by run_id order by max(published_at) desc limit 6",
        [domain],
    ).fetchall()
    names = ", ".join(name for (name,) in known)
    return Unknown(f"No run {run_id[:80]!r} of {domain} was published. The latest: {names or 'none'}.")


def require_same(train: pd.DataFrame, manifest: Manifest) -> None:
    """Raise a UserError unless this is the training set of the run, by its fingerprint."""
    if train.empty:
        raise UserError(
            f"{manifest.run_id} was published by an older version of the project, which did not keep what each run knew: its accuracy "
            "cannot be put together again. The edition of its report, if it was kept, has the figures."
        )
    if identity.train_fingerprint(train) != manifest.fingerprint:
        raise UserError(
            f"What {manifest.run_id} knew, as the ledger has it, is not what it was (its fingerprint differs): the warehouse was changed "
            "by hand, or is damaged. Take it from a backup."
        )


def _accuracy(
    connection: duckdb.DuckDBPyConnection,
    dbt: Path,
    domain: str,
    train: pd.DataFrame,
    moment: pd.DataFrame,
    levels: dict[str, list[str]],
) -> pd.DataFrame:
    """Ask dbt's models for the accuracy of a domain, over temporary views of what was known at a moment."""
    connection.register("then_moment", moment)
    connection.register("then_known", train)
    for name in DOMAINS:
        rows = "select * replace (ds::date as ds) from then_known" + ("" if name == domain else " where false")
        connection.execute(f"create temp view then_ml_train_{name}_monthly as {rows}")
    for name, sql in HELD.items():
        connection.execute(f"create temp view then_{name} as {sql}")
    made = {*HELD, *(f"ml_train_{name}_monthly" for name in DOMAINS)}
    for path in MODELS:
        connection.execute(f"create temp table then_{Path(path).name} as {rendered(dbt, path, made, levels)}")
        made.add(Path(path).name)
    return connection.execute(
        "select * exclude (domain) from then_forecast_accuracy where domain = ? order by all", [domain]
    ).df()


def rendered(dbt: Path, path: str, made: set[str], levels: dict[str, list[str]]) -> str:
    """Return the SQL of one of dbt's models, over the views of `made` where these have what it refers to."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])

    def named(*of: str) -> str:
        return f"then_{of[-1]}" if of[-1] in made else of[-1]

    environment.globals.update(ref=named, source=named, var={"levels": levels}.get)
    for macro_file in ("measures", "predictions"):
        macros = environment.from_string((dbt / "macros" / f"{macro_file}.sql").read_text(encoding="utf-8")).module
        environment.globals.update({name: macro for name, macro in vars(macros).items() if not name.startswith("_")})
    return environment.from_string((dbt / "models" / f"{path}.sql").read_text(encoding="utf-8")).render()
