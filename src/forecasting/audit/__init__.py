"""What an auditor asks for: where a number comes from, whether it can be made again, a backup of a workspace and its way back.

In: a workspace, what it published. Out: what is known of a run (`explain`), how it comes out when it is made again (`rerun`), one
file that holds a workspace (`backup`), a workspace made from one (`restore`).
"""

from forecasting.audit.backing_up import backup
from forecasting.audit.explaining import explain
from forecasting.audit.rerunning import as_text, rerun
from forecasting.audit.restoring import restore

__all__ = ["as_text", "backup", "explain", "rerun", "restore"]
