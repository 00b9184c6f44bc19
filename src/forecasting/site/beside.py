"""Writes the files that lie beside the pages, all or none: what fails is named, and the report before stays."""

import re
from collections.abc import Callable
from pathlib import Path

from forecasting.report import files
from forecasting.site import archive, exports, pdf, workbook
from forecasting.site.editions import Edition
from forecasting.site.markup import Fragment


def write(
    site: Path,
    contents: dict[str, list[Fragment]],
    titles: dict[str, str],
    published: Path,
    edition: Edition,
    reports: Path,
) -> None:
    """Write every file of `report.files` into `site`; the zip comes last, because it holds the others.

    Raises
    ------
    RuntimeError
        If a file cannot be written; it says which one, and its cause says why.
    """
    company = re.sub(r"[^\w.-]+", "-", edition.company).strip("-.")  # a company may be called «A/B»
    folder = "-".join(part for part in (company, edition.name) if part)
    paper, brief = site.with_name("paper"), site.with_name("brief")
    made: dict[str, Callable[[Path], None]] = {
        files.WORKBOOK: lambda target: workbook.write(published, target, edition),
        files.CSV: lambda target: exports.write_csv(published, target),
        files.PARQUET: lambda target: exports.write_parquet(published, target),
        files.PDF: lambda target: pdf.write(contents, titles, edition, target, reports, paper),
        files.BRIEF: lambda target: pdf.write_brief(contents, edition, target, reports, brief),
        files.ARCHIVE: lambda target: archive.write(site, target, folder, (files.ARCHIVE,)),
    }
    for name, work in made.items():
        try:
            work(site / name)
        except Exception as error:
            raise RuntimeError(f"{name} could not be written, so the report before stays as it is: {error}") from error
