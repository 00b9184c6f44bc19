"""What the dashboard reads of a workspace, kept until the published file is replaced. Nothing is written."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
import streamlit as st

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.ledger import Domain, Published, Unreadable
from forecasting.report import load_record
from forecasting.serving import SalesForecaster, times

LOG = logging.getLogger("forecasting.dashboard")
PARTS = 500  # single series kept
KEPT = 12  # answers kept of each kind: a few workspaces' states of three domains
Found = TypeVar("Found")


class Workspace(NamedTuple):
    """A workspace's folder data/<name> and the state of what was published there: it changes when the file does."""

    data: Path
    state: tuple

    @classmethod
    def of(cls, data: Path) -> "Workspace":
        """Look at a folder now."""
        return cls(data, times([data / "published.duckdb"]))

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.data.resolve().name

    def domains(self) -> list[str]:
        """Return the domains that were published, in their usual order.

        Raises
        ------
        UserError
            If nothing was published, or the file cannot be read.
        """
        known = _domains(self.data, self.state)
        if not known:
            raise UserError(f"Nothing has been published in the workspace «{self.name}» yet: `make report` does it.")
        return known

    def domain(self, name: str) -> Domain:
        """Return a published domain, with all of its sums and series; of very many series, those in sight alone."""
        return _domain(self.data, name, self.state)

    def part(self, name: str, region: str, category: str) -> Domain:
        """Return a domain with what is known of a region and category, read by itself where there are very many."""
        domain = self.domain(name)
        if not domain.in_sight:
            return domain
        return _part(self.data, domain, region, category, name, self.state)

    def names(self, name: str) -> pd.DataFrame:
        """Return all regions and categories that are known together, in order, of a domain with very many series."""
        return _names(self.data, name, self.state)

    def record(self, name: str) -> pd.DataFrame:
        """Return the published forecasts of a domain that have met their month; see `report.load_record`."""
        return _record(self.data, name, self.state)

    def forecaster(self, name: str) -> SalesForecaster:
        """Return the forecaster of a domain's champion; it is loaded once for all who use the dashboard."""
        return _forecaster(self.data, name)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _domains(data: Path, state: tuple) -> list[str]:
    published = Published(data / "published.duckdb")
    if not published.path.exists():
        return []
    known = read(data, published.in_force)
    return [name for name in DOMAINS if name in known]


@st.cache_data(max_entries=KEPT, show_spinner="Reading what was published …")
def _domain(data: Path, name: str, state: tuple) -> Domain | None:
    return read(data, lambda: Published(data / "published.duckdb").domain(name, whole=False))


@st.cache_data(max_entries=PARTS, show_spinner=False)
def _part(data: Path, _domain: Domain, region: str, category: str, name: str, state: tuple) -> Domain:
    return read(data, lambda: Published(data / "published.duckdb").only(_domain, region, category))


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _names(data: Path, name: str, state: tuple) -> pd.DataFrame:
    return read(data, lambda: Published(data / "published.duckdb").pairs(name))


@st.cache_data(max_entries=KEPT, show_spinner="Reading what was published …")
def _record(data: Path, name: str, state: tuple) -> pd.DataFrame:
    path = data / "published.duckdb"
    domain = _domain(data, name, state)
    series = domain.in_sight["series"].names if "series" in domain.in_sight else None
    return read(data, lambda: load_record(path, name, series=series))


@st.cache_resource(show_spinner=False)
def _forecaster(data: Path, name: str) -> SalesForecaster:
    return SalesForecaster.champion(data, name)


def read(data: Path, question: Callable[[], Found]) -> Found:
    """Ask a question; where what the file holds cannot be understood, say so in words."""
    try:
        return question()
    except (KeyError, ValueError) as error:
        LOG.exception("%s cannot be read.", data / "published.duckdb")
        raise Unreadable(data / "published.duckdb") from error
