"""Forecasts what is asked for at the same time together: with many callers, most of a forecast's cost is shared.

Whatever is computed together has the very bits that it has alone (`ServedModel.forecast_series`). A quick model answers all that came in
at once, in the event loop, as soon as a turn of it brings no more: that takes a few thousandths of a second however many they are. Of any
other model the questions wait in a queue, which a thread answers in passes. Whoever leaves before the turn comes is never computed, and
who finds the queue full is refused. A pass takes as many as make it last about a second, so that those who come after others have
left do not wait for much more than their own.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from forecasting.serving import Series, SeriesForecast, ServedModel

LEAST_TOGETHER, MOST_TOGETHER = 8, 64  # series in a pass; much of it is the same for one alone
MOST_WAITING = 256
LONGEST_PASS = 1.0  # seconds, about
SETTLE = 0.005  # seconds before a pass: who comes at the same time takes part, and who has left by now is noticed
PATIENCE = 0.2  # seconds until a full queue refuses: those who have left by now are noticed meanwhile
LOOK_AGAIN = 0.02  # seconds


class Full(Exception):
    """Too many are waiting; `seconds` says when to ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{MOST_WAITING} requests are waiting already.")
        self.seconds = seconds


@dataclass(frozen=True, eq=False)
class Question:
    """One series to forecast by one model, and where the answer goes."""

    served: ServedModel
    series: Series
    horizon: int
    answer: asyncio.Future

    @property
    def kind(self) -> tuple:
        """What must be the same for all that one computation answers."""
        return id(self.served), len(self.series.values), self.horizon


class Together:
    """Answers the questions of one domain; to be used in one event loop."""

    def __init__(self) -> None:
        self._quick: list[Question] = []
        self._queue: dict[Question, None] = {}  # in the order in which they came
        self._work: asyncio.Task | None = None
        self._size, self._seconds = MOST_TOGETHER, 0.0  # series in a pass, and seconds for one of them in the last pass
        self._thread = ThreadPoolExecutor(1)

    async def forecast(
        self,
        served: ServedModel,
        series: Sequence[Series],
        horizon: int,
        left: Callable[[], Coroutine[None, None, None]],
    ) -> list[SeriesForecast]:
        """Forecast what one caller asks for, each series for itself; `left` returns as soon as whoever asks has left.

        Raises
        ------
        ClientDisconnect
            If it did so before the answer was there.
        Full
            If too many are waiting.
        """
        loop = asyncio.get_running_loop()
        questions = [Question(served, one, horizon, loop.create_future()) for one in series]
        answers = asyncio.gather(*(question.answer for question in questions))
        if served.quick:
            if not self._quick:
                loop.call_soon(self._answer_quick, loop, 0)
            self._quick += questions
            return await answers
        await self._enter(questions)
        leaving = loop.create_task(left())
        leaving.add_done_callback(lambda _: self._drop(questions))
        try:
            return await answers
        finally:
            leaving.cancel()

    async def close(self) -> None:
        """Stop; what is being computed is finished, nobody waits any more."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        await asyncio.to_thread(self._thread.shutdown)

    def _answer_quick(self, loop: asyncio.AbstractEventLoop, known: int) -> None:
        """Answer all that came in, unless in this turn of the loop more did than were `known` before: then others may be on their way."""
        if known < len(self._quick) < MOST_TOGETHER:
            loop.call_soon(self._answer_quick, loop, len(self._quick))
            return
        waiting, self._quick = self._quick, []
        for group in groups([question for question in waiting if not question.answer.done()]):
            answer(group)

    async def _enter(self, questions: list[Question]) -> None:
        """Put all questions of a caller into the queue, and see to it that they are worked on."""
        end, room = time.monotonic() + PATIENCE, MOST_WAITING - len(questions)
        while len(self._queue) > room and time.monotonic() < end:
            await asyncio.sleep(LOOK_AGAIN)
        if len(self._queue) > room:
            raise Full(max(1, math.ceil(len(self._queue) * self._seconds)))
        self._queue.update(dict.fromkeys(questions))
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._passes())

    def _drop(self, questions: list[Question]) -> None:
        """Take out of the queue what nobody wants any more."""
        for question in questions:
            self._queue.pop(question, None)
            if not question.answer.done():
                question.answer.set_exception(ClientDisconnect())

    async def _passes(self) -> None:
        """Answer what waits, pass after pass, until nothing does."""
        while self._queue:
            await asyncio.sleep(SETTLE)
            if not self._queue:
                continue
            group = self._next()
            started = time.perf_counter()
            result = await asyncio.get_running_loop().run_in_executor(self._thread, computed, group)
            self._measure(len(group), time.perf_counter() - started)
            tell(group, result)

    def _next(self) -> list[Question]:
        """Take the question that has waited longest and others like it out of the queue, as many as a pass may have."""
        kind = next(iter(self._queue)).kind
        group = list(itertools.islice((each for each in self._queue if each.kind == kind), self._size))
        for question in group:
            del self._queue[question]
        return group

    def _measure(self, many: int, seconds: float) -> None:
        """Let the next pass have twice or half as many series, where this one was short or long."""
        self._seconds = seconds / many
        if seconds > LONGEST_PASS:
            self._size = max(LEAST_TOGETHER, self._size // 2)
        elif many == self._size:
            self._size = min(MOST_TOGETHER, 2 * self._size)


def groups(questions: list[Question]) -> Iterator[list[Question]]:
    """Yield the questions that one computation can answer."""
    found: dict[tuple, list[Question]] = {}
    for question in questions:
        found.setdefault(question.kind, []).append(question)
    for group in found.values():
        for start in range(0, len(group), MOST_TOGETHER):
            yield group[start : start + MOST_TOGETHER]


def answer(group: list[Question]) -> None:
    """Forecast a group and set the answers."""
    tell(group, computed(group))


def computed(group: list[Question]) -> list[SeriesForecast] | Exception:
    """Forecast a group, or return why that fails."""
    try:
        return group[0].served.forecast_series([question.series for question in group], group[0].horizon)
    except Exception as error:
        return error


def tell(group: list[Question], result: list[SeriesForecast] | Exception) -> None:
    """Set the answers; where the computation failed, every question of the group has."""
    found = [result] * len(group) if isinstance(result, Exception) else result
    for question, each in zip(group, found, strict=True):
        if question.answer.done():
            continue
        if isinstance(each, Exception):
            question.answer.set_exception(each)
        else:
            question.answer.set_result(each)
