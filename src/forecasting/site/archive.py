"""The site in one file, for mailing: unpacked, it opens without a network."""

import zipfile
from pathlib import Path

from forecasting.report import note
from forecasting.site.editions import ELSEWHERE, HEADING, fill
from forecasting.site.links import drop_links

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can note: the same files give the same bytes


def write(site: Path, target: Path, folder: str, dead: tuple[str, ...]) -> None:
    """Pack the files of `site` into `target`, below one folder; links to earlier editions and to `dead` files become text."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in site.rglob("*") if path.is_file() and path != target):
            content = path.read_bytes()
            if path.suffix == ".html":
                page = fill(content.decode("utf-8"), HEADING + note(ELSEWHERE))
                content = drop_links(page, dead).encode("utf-8")
            about = zipfile.ZipInfo(f"{folder}/{path.relative_to(site).as_posix()}", LONG_AGO)
            about.external_attr = 0o644 << 16
            packed.writestr(about, content, zipfile.ZIP_DEFLATED)
