"""Champion and challenger: which model forecasts a domain.

In: a leaderboard, the incumbent, a person's decisions. Out: `champion.json`, and the aliases that `make promote` and `make rollback`
move. A domain has one champion; `gate` says what a challenger must show, `promotion` what a person may overrule.
"""

from forecasting.choice.gate import Gate, choose_champion
from forecasting.choice.incumbent import write_incumbent
from forecasting.choice.promotion import promote, rollback

__all__ = ["Gate", "choose_champion", "promote", "rollback", "write_incumbent"]
