"""The pages for people: links lead somewhere, commands and files exist, the README is short and its own data can be copied."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import DOMAINS
from forecasting.run import params
from quick_company import build

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").rglob("*.md")]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z_-]*):", MAKEFILE, re.MULTILINE)) | set(re.findall(r"cycle-\w+", MAKEFILE))
TARGETS |= {f"cycle-{stage}" for stage in re.search(r"OF_DOMAIN := (.+)", MAKEFILE)[1].split()}


def without_code(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def links(text: str) -> list[str]:
    """Return where the links and pictures of a page lead."""
    text = without_code(text)
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)


def anchors(text: str) -> set[str]:
    """Return the names of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page):
    lost = []
    for link in links(page.read_text(encoding="utf-8")):
        if re.match(r"https?://", link):
            continue
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (heading and heading not in anchors(target.read_text(encoding="utf-8"))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`make ([a-z][a-z_-]*)", text) + re.findall(r"^make ([a-z][a-z_-]*)", text, re.MULTILINE)
    assert sorted(set(named) - TARGETS) == []


def test_every_command_has_its_line():
    listed = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    told = re.findall(r"^([a-z][a-z_-]*):.*## ", MAKEFILE, re.MULTILINE)
    assert len(told) > 40
    assert [name for name in told if f"`make {name}" not in listed and name != "help"] == []


def test_every_page_is_found_from_the_readme():
    found = {(ROOT / link.partition("#")[0]).resolve() for link in links(README) if not link.startswith("http")}
    assert [page.name for page in (ROOT / "docs").glob("*.md") if page not in found] == []


def test_the_readme_is_read_in_two_minutes():
    text = re.sub(r"\]\([^)]*\)|<img[^>]*>|[|#*`\[\]-]", " ", without_code(README))
    assert 400 < len(text.split()) < 600


def test_what_is_to_be_copied_from_the_readme_is_a_company(tmp_path):
    """The header and both lines as they stand, and as many like them as a company has."""
    block = re.search(r"```csv\n(.+?)```", README, re.DOTALL)[1]
    header, *lines = block.strip().splitlines()
    assert len(lines) == 2
    days = pd.bdate_range("2022-01-05", "2024-12-31")
    more = [f"{day:%Y-%m-%d},{100 + number % 7}.50,North,Bikes" for number, day in enumerate(days)]
    found = build(tmp_path, sales="\n".join([header, *lines, *more]) + "\n")
    assert found.refused == ""
    train = found.train["sales"]
    assert set(train["unique_id"]) == {"North/Bikes", "South/Helmets"} and train["ds"].nunique() == 36
    first = train[pd.to_datetime(train["ds"]) == "2022-01-01"].set_index("unique_id")["y"]
    assert first["South/Helmets"] == -75.0 and first["North/Bikes"] > 1180.5
    assert list(found.train) == ["sales"]


@pytest.mark.parametrize("page", ["faq", "own_data"])
def test_settings_that_a_page_tells_to_write_are_understood(page, tmp_path):
    """Each one in a workspace's own file, as it stands between backquotes or in a block of YAML."""
    for part in ("notebooks", "reports", "src"):
        (tmp_path / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "params", tmp_path / "params")
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    written = re.findall(r"`([a-z_]+: [^`…]+)`", text) + re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)
    assert len(written) > 3
    for setting in written:
        (tmp_path / "params" / "workspaces" / "acme.yml").write_text(setting.replace("YYYY-MM-DD", "2025-06-30"))
        for domain in DOMAINS:
            params.resolve(tmp_path, "acme", domain)
