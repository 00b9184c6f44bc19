"""What the service holds while it runs: the workspace's published database, a forecaster for each domain, and who looks after them."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from forecasting.api.errors import ApiError
from forecasting.api.metrics import Metrics
from forecasting.api.shelf import Shelf
from forecasting.api.together import Together
from forecasting.contracts import DOMAINS
from forecasting.ledger import NothingPublished, Published
from forecasting.serving import LOOK_EVERY, SalesForecaster, ServedModel

SWITCH_EVERY = 0.0005  # seconds


class Service:
    """The parts of one running service; `data` is the workspace's folder data/<name>."""

    def __init__(self, data: Path) -> None:
        self.shelf = Shelf(Published(data / "published.duckdb"))
        self.forecasters = {domain: SalesForecaster.champion(data, domain) for domain in DOMAINS}
        self.metrics = Metrics(self.forecasters)
        self.together: dict[str, Together] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the champions, look after them while the service runs, and stop in good order."""
        # a thread that computes lets the loop, which reads and answers, take its turn sooner than after Python's 5 ms
        sys.setswitchinterval(SWITCH_EVERY)
        self.together = {domain: Together() for domain in DOMAINS}
        await self._look()
        gc.collect()
        gc.freeze()  # what is loaded by now stays: going through all of it again and again is what would take longest of a request
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            for each in self.together.values():
                await each.close()

    async def _watch(self) -> None:
        """Look for new champions again and again; requests are answered meanwhile."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._look()

    async def _look(self) -> None:
        """Look once for every domain, one after another."""
        for forecaster in self.forecasters.values():
            await asyncio.to_thread(forecaster.look)

    def served(self, domain: str) -> ServedModel:
        """Return the model that answers for a domain.

        Raises
        ------
        ApiError
            404 where nothing of the domain was published, 503 where its champion cannot be loaded.
        """
        forecaster = self.forecasters[domain]
        if forecaster.loaded is None:
            reason = forecaster.problem
            raise ApiError(404 if isinstance(reason, NothingPublished) else 503, str(reason), [("domain", str(reason))])
        return forecaster.loaded

    def ready(self) -> list[str]:
        """Return the domains that are served.

        Raises
        ------
        ApiError
            503 if there is none, or what is in force for one of them could not be loaded; says why.
        """
        served = [domain for domain, forecaster in self.forecasters.items() if forecaster.loaded is not None]
        faults = [
            (domain, str(forecaster.problem))
            for domain, forecaster in self.forecasters.items()
            if forecaster.problem and (forecaster.loaded or not isinstance(forecaster.problem, NothingPublished))
        ]
        if faults:
            going_on = (
                " The champion before it answers meanwhile." if {domain for domain, _ in faults} & {*served} else ""
            )
            raise ApiError(503, f"Not ready. {faults[0][0]}: {faults[0][1]}{going_on}", faults)
        if not served:
            raise ApiError(503, "Not ready: nothing has been published yet. `make report` does it.")
        return served
