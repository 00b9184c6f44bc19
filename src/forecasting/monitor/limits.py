"""Where the limits come from: quiet months simulated from the company's own back-tests, and what every rule says of them.

A simulated history takes blocks of months, all horizons and measures of a month together, from the months of the back-tests (moving
blocks, Künsch 1989). Its first months stand for the back-tests, from which the usual errors are measured anew, its last ones for what came
due: so a limit also allows for how little so few months tell. A limit is what a rule's signal reaches in so small a share of them that
the rate asked for holds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.contracts import DOMAINS, MAX_HORIZON
from forecasting.monitor import signals
from forecasting.monitor.errors import Errors, breadth

WINDOW = 12  # months that a rule looks back at most
# The rules that ask for new models share the rate; each has its part of it.
RULES = {"level_shift": 0.35, "breadth": 0.30, "loss": 0.25, "tracking_signal": 0.05, "worse_than_naive": 0.05}
CARE = 0.3  # of the rate is given out: real months are wilder than twenty taught ones show, two to three times (docs/monitor.md)
DRAWS, SEED, BLOCK = 5000, 1959, 4
FEW = 12  # months of back-tests, below which part of the simulated months are made up
FREEDOM = 8  # of the scale of each block (a Student's t): quiet months may be wilder than the few that were seen
CARRIED, SHARED = 0.4, 0.8  # made-up months: what is carried over to the next one, and how alike the horizons are
MEAN_SIZE = np.sqrt(2 / np.pi)  # of a normal error with standard deviation 1
WATCH_EVERY = 3  # rules call for watching so many times as often as for new models


@dataclass(frozen=True)
class Limits:
    """What quiet months look like under one pattern of what has come due.

    `spread` is by 'level_shift', 'breadth' and 'loss' the usual size of their sums over 2 and 3 months; `quiet` is by code the
    signals of the simulated histories in order; `rate` is the share of quiet months in which all rules of a domain together may ask
    for new models.
    """

    rate: float
    months: int
    spread: dict[str, np.ndarray]
    quiet: dict[str, np.ndarray]

    def rate_of(self, code: str) -> float:
        """Return in which share of quiet months a rule may be beyond its limit; one that asks for no new models as the most it might."""
        return CARE * self.rate * RULES.get(code, max(RULES.values()))

    def at(self, code: str, share: float = 1.0) -> tuple[float, float]:
        """Return the limit of a rule and what calls for watching; `share`: of the rate, where a rule is asked of many series."""
        found, rate = self.quiet[code], share * self.rate_of(code)
        return float(np.quantile(found, 1 - min(rate, 0.5))), float(
            np.quantile(found, 1 - min(WATCH_EVERY * rate, 0.5))
        )

    def signal(self, code: str, months: np.ndarray) -> np.ndarray:
        """Return the signal [...] of months [..., months]: the larger of the sums over 2 and 3 months, in usual sizes."""
        return _largest(code, months, self.spread[code])

    def as_json(self) -> dict[str, dict[str, Any]]:
        """Return for `monitor.json` each limit with what it rests on."""
        found = {}
        for code in self.quiet:
            limit, watch = self.at(code)
            found[code] = {
                "limit": round(limit, 4),
                "watch": round(watch, 4),
                "rate": self.rate,
                "months_of_back_tests": self.months,
            }
        return found


def simulate(quiet: Errors, due: Errors, false_alarm_months: int, draws: int = DRAWS) -> Limits:
    """Return the limits that quiet months set for what has come due.

    Parameters
    ----------
    quiet: the errors of the back-tests.
    due: the errors of what came due, of WINDOW months at most: which of its months and horizons are known is what counts.
    """
    pattern = np.isfinite(due.total) & np.isfinite(due.loss)
    used = pattern.any(axis=0)
    known = np.isfinite(quiet.total[:, used]).all(axis=1) & np.isfinite(quiet.loss[:, used]).all(axis=1)
    rng = np.random.default_rng(SEED)
    taught = max(int(known.sum()), FEW)
    drawn = _drawn(quiet, known, draws, taught + len(pattern), rng)
    came = {name: np.where(pattern, part[..., taught:, :], np.nan) for name, part in drawn.items()}
    months = {
        name: signals.by_month(came[name], signals.usual(drawn[name][:, :taught])) - (name == "loss")
        for name in signals.CLIPS
    }
    spread = {code: np.sqrt(signals.mean(signals.sums(code, each) ** 2, axis=0)) for code, each in months.items()}
    found = {code: _largest(code, each, spread[code]) for code, each in months.items()}
    found["tracking_signal"] = np.abs(signals.tracking(came["level_shift"][..., 0]))
    found["worse_than_naive"] = signals.ratio(came["loss"], came["naive"])
    before = signals.mean(signals.mean(drawn["inside"][..., :taught, :], axis=-1), axis=-1)
    for level, of, was in zip((80, 95), came["inside"], before, strict=True):
        found[f"coverage_{level}"] = np.abs(signals.mean(signals.mean(of, axis=-1), axis=-1) - was)
    found = {code: np.sort(each[np.isfinite(each)]) for code, each in found.items()}
    return Limits(
        1 / (false_alarm_months * len(DOMAINS)),
        int(known.sum()),
        spread,
        {code: each for code, each in found.items() if len(each)},
    )


def _largest(code: str, months: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the larger of the sums over 2 and 3 months in usual sizes; of a level in either direction."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = signals.sums(code, months) / spread
    sums = sums if code == "loss" else np.abs(sums)
    return np.where(np.isfinite(sums).any(axis=-1), np.where(np.isfinite(sums), sums, -np.inf).max(axis=-1), np.nan)


def _drawn(
    quiet: Errors, known: np.ndarray, draws: int, months: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return simulated level_shift (errors of the total), breadth, loss, naive [draws, months, horizons] and inside [2, …].

    All are in units of their usual size, but for `inside`, a share.
    """
    n, blocks = int(known.sum()), -(-months // BLOCK)
    factor, naive_factor = _factor(draws, months, rng), _factor(draws, months, rng)
    made_up = _made_up(draws, months, rng) if n < FEW else {}
    if n == 0:
        return {name: part * factor for name, part in made_up.items()}
    starts = rng.integers(0, n, (draws, blocks))
    place = ((starts[:, :, None] + np.arange(BLOCK)) % n).reshape(draws, -1)[:, :months]
    nodes, broad, size = _nodes(quiet)[:, known], breadth(quiet, quiet)[known], signals.usual(quiet.loss[known])
    which = np.where(rng.random(draws) < 0.5, 0, rng.integers(0, len(nodes), draws))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "level_shift": nodes[which[:, None], place],
            "breadth": (broad / signals.usual(broad))[place],
            "loss": (quiet.loss[known] / size)[place],
            "naive": (quiet.naive_loss[known] / size)[place],
        }
    if n < FEW:
        own = np.repeat(rng.random((draws, blocks)) < n / FEW, BLOCK, axis=1)[:, :months, None]
        found = {name: np.where(own, part, made_up[name]) for name, part in found.items()}
    found = {name: part * (naive_factor if name == "naive" else factor) for name, part in found.items()}
    return found | {"inside": quiet.inside[:, known][:, place]}


def _factor(draws: int, months: int, rng: np.random.Generator) -> np.ndarray:
    """Return how much wilder or milder each block of months is than those that it was taken from [draws, months, 1]."""
    blocks = -(-months // BLOCK)
    factor = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, (draws, blocks)))
    return np.repeat(factor, BLOCK, axis=1)[:, :months, None]


def _nodes(quiet: Errors) -> np.ndarray:
    """Return the errors of the total, the regions and the categories, each in units of its usual size [nodes, months, horizons].

    How wild single months can be is learned from all of them; of the total alone there are too few.
    """
    sums = quiet.nodes.get_level_values("aggregation").isin(["region", "category"])
    error = np.concatenate([quiet.total[None], quiet.error[sums]])
    with np.errstate(divide="ignore", invalid="ignore"):
        error = error / signals.usual(error)[:, None, :]
    whole = np.isfinite(error).all(axis=(1, 2)) | (np.isfinite(error) == np.isfinite(error[0])).all(axis=(1, 2))
    return error[whole]


def _made_up(draws: int, months: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return normal errors with mean size 1 that carry over to the next month, alike over horizons, and losses about 1.

    What cannot be made up, how good the seasonal naive is and how many actuals the intervals hold, is NaN.
    """
    shared, own = rng.standard_normal((draws, months, 1)), rng.standard_normal((draws, months, MAX_HORIZON))
    error = SHARED * shared + np.sqrt(1 - SHARED**2) * own
    for month in range(1, months):
        error[:, month] = CARRIED * error[:, month - 1] + np.sqrt(1 - CARRIED**2) * error[:, month]
    error, loss, nothing = error / MEAN_SIZE, np.exp(0.25 * error), np.full_like(error, np.nan)
    return {
        "level_shift": error,
        "breadth": error,
        "loss": loss,
        "naive": nothing,
        "inside": np.stack([nothing, nothing]),
    }
