"""The report's pages, in the order of the navigation. A new page is its notebook in `reports/` and one line here."""

from collections.abc import Container
from dataclasses import dataclass

from forecasting.contracts import DOMAINS


@dataclass(frozen=True)
class Page:
    """One page: `<name>.html`, its title, the notebook that makes it where that has another name, and what it is for.

    A page of a `domain` is there where that domain is published, one of the benchmark where its results are.
    """

    name: str
    title: str
    notebook: str = ""
    domain: str | None = None
    shows_benchmark: bool = False

    @property
    def source(self) -> str:
        """The file name of the notebook, in `reports/`."""
        return f"{self.notebook or self.name}.ipynb"


PAGES = (
    Page("index", "Overview"),
    *(Page(domain, domain.capitalize(), "domain", domain) for domain in DOMAINS),
    Page("accuracy", "Accuracy over time"),
    Page("model_card", "Model card"),
    Page("data_quality", "Data quality"),
    Page("benchmark", "Benchmark", shows_benchmark=True),
    Page("glossary", "Glossary"),
)


def pages_of(domains: Container[str], has_benchmark: bool) -> list[Page]:
    """Return the pages of a report on these domains; `has_benchmark` says whether the benchmark has results."""
    found = [page for page in PAGES if page.domain is None or page.domain in domains]
    return [page for page in found if has_benchmark or not page.shows_benchmark]
