"""Runs one notebook through papermill, strictly: its parameters must be declared, and a failed run leaves no result behind."""

import os
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.pipeline import told, warming
from forecasting.pipeline.steps import notebook
from forecasting.run import (
    LOG,
    PAGES,
    PRETRAINED,
    REGRET,
    RESULTS,
    Workspace,
    is_fork,
    params,
    progress,
    scratch_folder,
)

PATIENCE = 600  # seconds that a kernel may take to start, or to hand over what a cell shows: a busy machine is slow, not broken


def run_step(workspace: Workspace, domain: str, step: str) -> None:
    """Execute one numbered notebook for one domain into the domain's run folder.

    Raises
    ------
    UserError
        If the training sets are not those of this day (`as_of`), or a setting is at fault.
    """
    workspace.require_same_day()
    run_step_in(workspace.runs / domain, workspace, step, workspace.settings(domain), workspace.data)


def run_step_in(folder: Path, workspace: Workspace, step: str, settings: dict[str, Any], tracking_dir: Path) -> None:
    """Execute one numbered notebook into the folder of a domain, which holds what it reads, with these settings and this MLflow store."""
    source = notebook(workspace, step)
    injected = {"run_dir": ".", "tracking_dir": os.path.relpath(tracking_dir, folder)}
    values = {**params.for_notebook(settings, source), **only_declared(source, injected)}
    execute(source, folder / f"{step}.ipynb", values, folder.name)


def run_page(workspace: Workspace, name: str) -> None:
    """Execute one report page into the run folder's `pages`."""
    (page,) = (page for page in PAGES if page.name == name)
    source, folder = workspace.root / "reports" / page.source, workspace.runs / "pages"
    files = {"published": workspace.published, "benchmark_results": workspace.root / RESULTS,
             "benchmark_log": workspace.root / LOG, "benchmark_regret": workspace.root / REGRET,
             "benchmark_pretrained": workspace.root / PRETRAINED}  # fmt: skip
    injected = {name: os.path.relpath(path, folder) for name, path in files.items()} | {"domain": page.domain}
    domain = page.domain or workspace.domains()[0]
    settings = workspace.settings(domain)
    values = {**params.for_notebook(settings, source), **only_declared(source, injected)}
    execute(source, folder / f"{page.name}.ipynb", values)


def only_declared(source: Path, injected: dict[str, Any]) -> dict[str, Any]:
    """Return those of the injected values that this notebook declares."""
    names = params.declared(source)
    return {key: value for key, value in injected.items() if key in names}


def execute(source: Path, target: Path, values: dict[str, Any], domain: str = "") -> None:
    """Execute `source` with `values`, in the folder of `target`, and leave the executed copy there only if it succeeded.

    The copy is a page to be read (`told`): its title names the `domain`, and its one parameters cell holds the values.

    A failed run leaves `<name>.failed.ipynb`, with the error in it, to be opened and looked at.

    Raises
    ------
    UserError
        If a value is not declared, or a cell raised a UserError.
    """
    unknown = sorted(set(values) - set(params.declared(source)))
    if unknown:
        raise UserError(f"{source.name} declares no parameter {', '.join(unknown)}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    running, failed = (target.with_name(f"{target.stem}.{state}.ipynb") for state in ("running", "failed"))
    failed.unlink(missing_ok=True)
    try:
        papermill_execute(source, running, values, target.parent)
    except BaseException:
        if running.exists():
            running.replace(failed)
        raise
    told.tell(running, domain)
    running.replace(target)


def papermill_execute(source: Path, running: Path, values: dict[str, Any], cwd: Path) -> None:
    """Call papermill with a kernel of this environment over a private socket, and translate a cell's UserError."""
    with scratch_folder() as runtime, progress.terminal():
        os.environ.update(warming.SETTINGS, JUPYTER_RUNTIME_DIR=runtime, IPYTHONDIR=runtime)
        warming.without_unused_grammar()
        if is_fork():
            warming.fork_ahead()
        import papermill
        from papermill.exceptions import PapermillExecutionError

        try:
            papermill.execute_notebook(
                str(source), str(running), values, kernel_name="python3", cwd=str(cwd), progress_bar=False,
                log_output=False, shutdown_kernel="immediate", start_timeout=PATIENCE, iopub_timeout=PATIENCE,
                kernel_manager_class="forecasting.pipeline.kernels.PrivateKernelManager",
            )  # fmt: skip
        except PapermillExecutionError as error:
            if error.ename == "UserError":
                raise UserError(error.evalue) from None
            raise
