"""Champion and challenger: which model forecasts a domain.

In: a leaderboard, the incumbent, a person's decisions. Out: `champion.json`, and the aliases that `make promote` and `make rollback`
move. A domain has one champion; `gate` says what a challenger must show, `promotion` what a person may overrule, and `training`
whether models learn anew or are kept.
"""

from forecasting.choice.gate import Gate, choose_champion
from forecasting.choice.incumbent import write_incumbent
from forecasting.choice.promotion import promote, rollback
from forecasting.choice.training import MONTHLY, PERSON, REPORT, SCHEDULE, TRIGGERS, Month, Training, decide_training

__all__ = [
    "MONTHLY", "PERSON", "REPORT", "SCHEDULE", "TRIGGERS", "Gate", "Month", "Training", "choose_champion", "decide_training", "promote",
    "rollback", "write_incumbent",
]  # fmt: skip
