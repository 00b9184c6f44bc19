"""From measures and their limits to a verdict with reasons: pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

OK, WATCH, RECALIBRATE, RETRAIN, ASK = "ok", "watch", "recalibrate", "retrain", "ask a person"
VERDICTS = (OK, WATCH, RECALIBRATE, RETRAIN, ASK)  # the graver, the later
SAME = 1e-9  # a bounded signal may be its own limit, which says nothing: rounding must not carry it beyond
NOTHING_DUE = "Nothing has come due yet: no month that was forecast and published has ended since."


@dataclass(frozen=True)
class Measure:
    """One thing that was measured on what came due, and the limits for it.

    Attributes
    ----------
    code: its name for programs, such as 'level_shift'
    value: what was measured; nothing follows from one that is None
    watch, limit: beyond these `value` calls for watching, or for what `asks` says; None: it has no such limit
    asks: the verdict beyond the limit
    trigger: which of `retrain_on` in params/ it belongs to: accuracy, drift or new_data; «» for those that retrain nothing
    text: what was found, in plain words
    says: what that means beyond the limit, a sentence
    n, first_month, last_month: on how many months it rests (ISO months)
    name: the series, region or category that it is of, «» for the domain
    """

    code: str
    value: float | None
    limit: float | None = None
    watch: float | None = None
    asks: str = WATCH
    trigger: str = ""
    text: str = ""
    says: str = ""
    n: int = 0
    first_month: str = ""
    last_month: str = ""
    name: str = ""

    @property
    def verdict(self) -> str:
        """What this measure alone calls for."""
        if self.value is None:
            return OK
        if self.limit is not None and self.value > self.limit + SAME:
            return self.asks
        return WATCH if self.watch is not None and self.value > self.watch + SAME else OK


def verdict(measures: Sequence[Measure]) -> tuple[str, list[dict[str, str]]]:
    """Return the gravest verdict that a measure calls for, and a reason (code, trigger, text) for each that is not ok, the gravest first.

    A higher value of any measure, or one measure more, never makes the verdict milder.
    """
    found = sorted(
        (measure for measure in measures if measure.verdict != OK),
        key=lambda measure: -VERDICTS.index(measure.verdict),
    )
    reasons = [
        {"code": each.code, "trigger": each.trigger if each.verdict == RETRAIN else "", "text": sentence(each)}
        for each in found
    ]
    return (found[0].verdict if found else OK), reasons


def sentence(measure: Measure) -> str:
    """Say what was found and what it means where the limit is reached, or that it is near."""
    near = "That is nearer to the limit than most quiet months come; nothing needs to be done yet."
    meaning = measure.says if measure.verdict == measure.asks else near
    return " ".join(filter(None, [measure.text, meaning]))
