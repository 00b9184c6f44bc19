"""The folders of a run: its settings, what need not run again, and what a run is known by.

In: `params/`, the project's files and a workspace's name. Out: `Workspace`, one company's folders; `RunFolder`, what a step reads and
leaves; `params`, the settings of a domain; `PAGES`, the report's pages; `Manifest` and the records in it, what a run wrote
down; `stamps` and `identity`, fingerprints of what each step and run depend on.
"""

from forecasting.run import identity, params, progress, stamps
from forecasting.run.benchmark_files import LOG, PAGE, PRETRAINED, REGRET, RESULTS, TRIAL
from forecasting.run.commit import code_state, git_commit
from forecasting.run.first_rows import first_rows, largest_rows
from forecasting.run.folder import RunFolder, plain_rows, read_parquet
from forecasting.run.identity import train_fingerprint
from forecasting.run.lock import held, is_alive, only_run, scratch_folder
from forecasting.run.manifest import DataWarning, Explanation, Manifest, Monitoring, training_stamps
from forecasting.run.memory import Memory, train_digest
from forecasting.run.pages import PAGES, Page, pages_of
from forecasting.run.records import Champion, Facts, Incumbent, Rule, Trained
from forecasting.run.warm import Steps, ask, end_with_parent, expect_steps, is_fork
from forecasting.run.workspace import Workspace, on_sigterm, open_workspace, require_name, run_alone
from forecasting.run.yaml_file import read_yaml

__all__ = [
    "LOG", "PAGE", "PAGES", "PRETRAINED", "REGRET", "RESULTS", "TRIAL", "Champion", "DataWarning", "Explanation", "Facts", "Incumbent",
    "Manifest", "Memory", "Monitoring", "Page", "Rule", "RunFolder", "Steps", "Trained", "Workspace", "ask", "code_state",
    "end_with_parent", "expect_steps", "first_rows", "git_commit", "held", "identity", "is_alive", "is_fork", "largest_rows",
    "on_sigterm", "only_run", "open_workspace", "pages_of", "params", "plain_rows", "progress", "read_parquet", "read_yaml",
    "require_name", "run_alone", "scratch_folder", "stamps", "train_digest", "train_fingerprint", "training_stamps",
]  # fmt: skip
