"""Executes the report's pages without a kernel and reads rendered ones, for tests."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import nbformat
from IPython.core.interactiveshell import InteractiveShell

from forecasting.run import pages_of
from made_once import made_once

REPORTS = Path(__file__).resolve().parents[1] / "reports"


def executed(source: Path, **values: object) -> nbformat.NotebookNode:
    """Run a page's cells in this process, as papermill does in a kernel, and return the executed copy."""
    shell = InteractiveShell.instance()
    page = nbformat.read(source, as_version=4)
    with preserved(shell):
        for cell in page.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs = [nbformat.v4.new_output("display_data", output.data) for output in run(shell, cell.source)]
            if "parameters" in cell.metadata.get("tags", []):
                shell.push(values)
    return page


def run(shell: InteractiveShell, source: str) -> list:
    """Run a cell and return its outputs; an error in it is raised, which `%%capture` alone would only print."""
    results: list = []
    shell.events.register("post_run_cell", results.append)
    try:
        shell.run_cell(f"%%capture captured\n{source}")
    finally:
        shell.events.unregister("post_run_cell", results.append)
    for result in results:
        result.raise_error()
    return shell.user_ns["captured"].outputs


@contextmanager
def preserved(shell: InteractiveShell) -> Iterator[None]:
    """Give a page a namespace of its own. A reset would collect garbage, which takes longer than many a page."""
    with mock.patch("gc.collect"):
        shell.reset(new_session=False)
    yield


def execute_pages(published: Path, pages_dir: Path, domains: tuple[str, ...]) -> Path:
    """Write the executed pages of a company into `pages_dir` and return it."""
    key = f"pages of {hashlib.sha256(published.read_bytes()).hexdigest()} on {domains}"
    pages = made_once(key, lambda new: write_pages(published, new, domains))
    shutil.copytree(pages, pages_dir, dirs_exist_ok=True)
    return pages_dir


def write_pages(published: Path, pages_dir: Path, domains: tuple[str, ...]) -> None:
    """Execute the pages of a company into a new folder."""
    pages_dir.mkdir()
    for page in pages_of(domains, has_benchmark=False):
        values = {"published": str(published)} | ({"domain": page.domain} if page.domain else {})
        nbformat.write(executed(REPORTS / page.source, **values), pages_dir / f"{page.name}.ipynb")


class Page(HTMLParser):
    """What a test needs of a rendered page: its `text` as it is read and its `elements` as (name, attributes)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.skipping = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))
        self.skipping += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.skipping -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def values(self, *names: str) -> list[str]:
        """Every value of these attributes."""
        return [value for _, attributes in self.elements for name, value in attributes.items() if name in names]
