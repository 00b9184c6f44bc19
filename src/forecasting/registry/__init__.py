"""What MLflow keeps: a run for each step, registered models with their aliases, and what people decided. The only room that imports mlflow.

In: what a step computed, its model folder and figures. Out: runs, versions of `<domain>_monthly`, the alias `champion`.
"""

from forecasting.registry.copying import scratch_store
from forecasting.registry.kept import can_be_kept, trained_model
from forecasting.registry.snapshot import STORE, copy_store
from forecasting.registry.store import follow_where_written, point_store, prepare_store
from forecasting.registry.tracking import log_step
from forecasting.registry.versions import (
    CHALLENGER,
    CHAMPION,
    Registered,
    add_decision,
    champion,
    crown,
    decision,
    decisions,
    mark_runs,
    missing_runs,
    register,
    registered,
    registered_name,
    set_aliases,
    standing,
    version_of,
    versions_of,
    write_verdict,
)

__all__ = [
    "CHALLENGER", "CHAMPION", "STORE", "Registered", "add_decision", "can_be_kept", "champion", "copy_store", "crown",
    "decision", "decisions", "follow_where_written", "log_step", "mark_runs", "missing_runs", "point_store", "prepare_store", "register",
    "registered", "registered_name", "scratch_store",
    "set_aliases", "standing", "trained_model", "version_of", "versions_of",
    "write_verdict",
]  # fmt: skip
