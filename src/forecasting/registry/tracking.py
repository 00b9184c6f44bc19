"""What each run, its model and its forecasts leave in the workspace's MLflow store. What is registered of them is in `versions`.

MLflow takes seconds to import, so that the functions which need it do.

A step whose inputs (see `step_id`) are already in the store is not logged twice.
"""

import importlib.metadata
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pandas as pd

from forecasting.contracts import MAX_HORIZON, QUANTILE_COLUMNS
from forecasting.files import digest
from forecasting.models import about, gathered, member_folders, saved_folders, saved_member
from forecasting.registry import words
from forecasting.registry.store import open_store
from forecasting.run import RunFolder, train_fingerprint
from forecasting.wording import without_formulas

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

# MLflow compares the requirements with what is installed, two seconds in each process. Ours are what is installed; see `requirements`.
COMPARING = "mlflow.utils.environment.warn_dependency_requirement_mismatches"
# What every logged model needs to be loaded. Stated, as in `Model.packages`, because MLflow takes seconds to find it out for each.
LONGEST = 100_000  # rows of a table that is logged as text; a longer one is logged as Parquet
SAID = "said_{}.parquet"  # the walk-forward of a model, with which it can be kept in later months (`kept`)
SHARED_PACKAGES = ("mlflow", "numpy", "pandas")


def log_step(
    run: RunFolder,
    tracking_dir: str | Path,
    step: str,
    name: str,
    settings: dict[str, Any],
    metrics: pd.DataFrame,
    figures: "dict[str, Figure] | None" = None,
    tables: dict[str, pd.DataFrame] | None = None,
    model_dir: Path | None = None,
) -> None:
    """Record one step of a domain in MLflow and note its run id in `tracking/<name>.json` of the run folder.

    Parameters
    ----------
    step, name
        The notebook («20_train_linear») and what it made («linear»).
    settings
        What was set, and what follows from anything but what `step_id` counts, such as the champion.
    metrics
        Long table `metric, value` and optional `cutoff` and `compared`: a metric of one cutoff is logged at the step yyyymm. Where
        `compared` is there, only what it marks is a metric in MLflow, and the whole table is kept as `tables/all_scores.csv`.
    figures, tables
        Plots (kept as PNG) and tables (kept as CSV) by name.
    model_dir
        The folder a model was saved to; it is logged as a pyfunc model with its signature.
    """
    import mlflow

    train = run.training_set()
    fingerprint = train_fingerprint(train)
    client = open_store(tracking_dir, run.experiment)
    members = logged_members(run, model_dir) if model_dir is not None else {}
    found = step_id(run, step, name, fingerprint, settings, members)
    run_id = finished(client, run.experiment, found) if step in run.steps else None
    if run_id is None:
        span, (shown, tables) = words.Span.of(train, settings), as_shown(metrics, tables or {})
        latest = dict(zip(shown["metric"], shown["value"], strict=True))
        tags = {"step": step, "step_id": found, "domain": run.domain, "workspace": run.workspace,
                "made": name, "fingerprint": fingerprint, "cutoff": f"{span.cutoff:%Y-%m-%d}",
                words.NOTE: words.note(run.domain, run.workspace, span, name, latest)}  # fmt: skip
        with mlflow.start_run(run_name=words.run_name(run.domain, span, name), tags=tags) as active:
            run_id = active.info.run_id
            log_content(run_id, settings, shown, figures or {}, tables)
            if model_dir is not None:
                mlflow.set_tag("model_uri", log_model(model_dir, run.is_flow, members))
            if (said := run.path / SAID.format(name)).exists():
                mlflow.log_artifact(said)
    run.write_json(
        f"tracking/{name}", {"mlflow_run_id": run_id, "model_uri": client.get_run(run_id).data.tags.get("model_uri")}
    )


def as_shown(metrics: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the metrics that people compare, and the tables with all of them added where those are more."""
    if "compared" not in metrics:
        return metrics, tables
    return metrics[metrics["compared"]], {**tables, "all_scores": metrics.drop(columns="compared")}


def step_id(
    run: RunFolder, step: str, name: str, fingerprint: str, settings: dict[str, Any], members: dict[str, str]
) -> str:
    """Return what a step's result rests on: training set, cutoffs, settings, its stamp and those of the steps that train before it.

    `members`: the logged models that a combination refers to, by name.
    """
    stamps = {key: stamp for key, stamp in run.steps.items() if key == step or "20_" <= key < f"{step[:2]}_"}
    return digest(
        run.workspace, run.domain, name, fingerprint, run.cutoffs().to_dict("list"), stamps, settings, members
    )


def finished(client: "MlflowClient", experiment: str, step_id: str) -> str | None:
    """Return the id of the finished MLflow run that already holds this step, if there is one."""
    ids = [client.get_experiment_by_name(experiment).experiment_id]
    query = f"tags.step_id = '{step_id}' and attributes.status = 'FINISHED'"
    found = client.search_runs(ids, query, max_results=1)
    return found[0].info.run_id if found else None


def log_content(
    run_id: str,
    settings: dict[str, Any],
    metrics: pd.DataFrame,
    figures: dict[str, "Figure"],
    tables: dict[str, pd.DataFrame],
) -> None:
    """Log parameters, metrics, plots and tables to the active MLflow run; see `log_step` for the arguments."""
    import mlflow

    mlflow.log_params({key: json.dumps(value) for key, value in settings.items()})
    log_metrics(run_id, metrics)
    for file, figure in figures.items():
        mlflow.log_figure(figure, f"plots/{file}.png")
    for file, table in tables.items():
        if len(table) <= LONGEST:
            mlflow.log_text(without_formulas(table).to_csv(index=False), f"tables/{file}.csv")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            table.to_parquet(Path(scratch) / f"{file}.parquet", index=False)
            mlflow.log_artifact(Path(scratch) / f"{file}.parquet", "tables")


def log_metrics(run_id: str, metrics: pd.DataFrame) -> None:
    """Log a long table `metric, value[, cutoff]` in one request; unknown values are left out."""
    import mlflow

    known = metrics.dropna(subset=["value"])
    cutoffs = pd.to_datetime(known["cutoff"]) if "cutoff" in known else pd.Series(pd.NaT, index=known.index)
    steps = cutoffs.dt.strftime("%Y%m").fillna("0").astype(int)
    entries = [
        mlflow.entities.Metric(row.metric, float(row.value), 0, int(steps[row.Index])) for row in known.itertuples()
    ]
    mlflow.MlflowClient().log_batch(run_id, metrics=entries)


def logged_members(run: RunFolder, model_dir: Path) -> dict[str, str]:
    """Return the URIs under which this run logged the members of a saved combination, by name; none by hand, or of another model."""
    names = (
        []
        if run.is_by_hand
        else [name for name in member_folders(model_dir) if (run.path / f"tracking/{name}.json").exists()]
    )
    found = {name: run.read_json(f"tracking/{name}")["model_uri"] for name in names}
    return {name: uri for name, uri in found.items() if uri}


def log_model(model_dir: Path, flow: bool, members: dict[str, str] | None = None) -> str:
    """Log a saved model folder as models-from-code, our code and our JSON and no pickle; return the model's URI.

    Parameters
    ----------
    flow
        Whether its domain sums over a month, so that a series of twelve empty months has ended.
    members
        URIs of a combination's members that were logged in the same experiment: what is logged refers to them.
    """
    import mlflow

    from forecasting.registry import mlflow_model

    with tempfile.TemporaryDirectory() as scratch, mock.patch(COMPARING):
        folder = model_dir
        if member_folders(model_dir):
            folder = Path(scratch) / model_dir.name
            gathered(model_dir, folder, {name: beside(uri, name) for name, uri in (members or {}).items()})
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=mlflow_model.__file__,
            artifacts={"model": str(folder)},
            signature=signature(flow),
            pip_requirements=requirements(model_dir),
        )
    return logged.model_uri


def beside(uri: str, name: str) -> str:
    """Return where a logged model's folder is, seen from that of another model of the same experiment, wherever the store lies."""
    return f"../../../../{uri.removeprefix('models:/')}/artifacts/artifacts/{name}"


def signature(flow: bool) -> "ModelSignature":
    """Return what a logged model takes and gives: a row per series and month of history; a row per series and month ahead."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    key = [ColSpec(DataType.string, "unique_id"), ColSpec(DataType.datetime, "ds")]
    quantiles = [ColSpec(DataType.double, name) for name in QUANTILE_COLUMNS]
    flag = ColSpec(DataType.boolean, "is_fallback")
    return ModelSignature(
        inputs=Schema([*key, ColSpec(DataType.double, "y")]),
        outputs=Schema([*key, ColSpec(DataType.long, "horizon"), *quantiles, flag]),
        params=ParamSchema(
            [ParamSpec("horizon", DataType.long, MAX_HORIZON), ParamSpec("flow", DataType.boolean, flow)]
        ),
    )


def requirements(model_dir: Path) -> list[str]:
    """Return the packages that a saved model needs, a combination those of its members too, in the versions that are installed."""
    models = [saved_member(folder).name for folder in saved_folders(model_dir)]
    names = {*SHARED_PACKAGES, *(package for model in models for package in about(model).packages)}
    return [f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in sorted(names)]
