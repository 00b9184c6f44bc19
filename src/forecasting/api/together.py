"""Forecasts what is asked for at the same time together: with many callers, most of a forecast's cost is shared.

A model whose forecasts are the same side by side answers all that came in at once, in the event loop, as soon as a turn of it brings no
more: that takes a few thousandths of a second however many they are. Any other model computes in a thread, one series after another.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from forecasting.serving import Series, SeriesForecast, ServedModel

MOST_TOGETHER = 64


class Question(NamedTuple):
    """One series to forecast by one model, and where the answer goes."""

    served: ServedModel
    series: Series
    horizon: int
    answer: asyncio.Future


class Together:
    """Answers the questions of one domain; to be used in one event loop."""

    def __init__(self) -> None:
        self._waiting: list[Question] = []
        self._thread = ThreadPoolExecutor(1)

    async def forecast(self, served: ServedModel, series: Series, horizon: int) -> SeriesForecast:
        """Forecast one series."""
        loop = asyncio.get_running_loop()
        if not served.side_by_side:
            return (await loop.run_in_executor(self._thread, served.forecast_series, [series], horizon))[0]
        if not self._waiting:
            loop.call_soon(self._answer_all, loop, 0)
        answer = loop.create_future()
        self._waiting.append(Question(served, series, horizon, answer))
        return await answer

    def close(self) -> None:
        """Stop when all that was asked for is answered."""
        self._thread.shutdown()

    def _answer_all(self, loop: asyncio.AbstractEventLoop, known: int) -> None:
        """Answer all that came in, unless in this turn of the loop more did than were `known` before: then others may be on their way."""
        if known < len(self._waiting) < MOST_TOGETHER:
            loop.call_soon(self._answer_all, loop, len(self._waiting))
            return
        waiting, self._waiting = self._waiting, []
        for group in groups([question for question in waiting if not question.answer.done()]):
            answer(group)


def groups(questions: list[Question]) -> Iterator[list[Question]]:
    """Yield the questions that one computation can answer without any digit being different from when each is asked alone."""
    found: dict[tuple, list[Question]] = {}
    for question in questions:
        kind = (id(question.served), len(question.series.values), question.horizon)
        found.setdefault(kind, []).append(question)
    for group in found.values():
        for start in range(0, len(group), MOST_TOGETHER):
            yield group[start : start + MOST_TOGETHER]


def answer(group: list[Question]) -> None:
    """Forecast a group and set the answers; where it fails, every question of the group has."""
    try:
        found = group[0].served.forecast_series([question.series for question in group], group[0].horizon)
    except Exception as error:
        for question in group:
            question.answer.set_exception(error)
        return
    for question, forecast in zip(group, found, strict=True):
        question.answer.set_result(forecast)
