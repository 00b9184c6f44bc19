"""What MLflow keeps: a run for each step, registered models with their aliases, and what people decided. The only room that imports mlflow.

In: what a step computed, its model folder and figures. Out: runs, versions of `<domain>_monthly`, the alias `champion`.
"""

from forecasting.registry.kept import can_be_kept, trained_model
from forecasting.registry.tracking import log_step, prepare_store
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
    register,
    registered,
    registered_name,
    set_aliases,
    standing,
    version_of,
    write_verdict,
)

__all__ = [
    "CHALLENGER", "CHAMPION", "Registered", "add_decision", "can_be_kept", "champion", "crown", "decision", "decisions", "log_step",
    "mark_runs", "prepare_store", "register", "registered", "registered_name", "set_aliases", "standing", "trained_model", "version_of",
    "write_verdict",
]  # fmt: skip
