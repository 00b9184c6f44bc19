"""Looks into an .xlsx before it is opened: how large it would become, and what its reader drops, errors and formulas without a value."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from forecasting.errors import UserError

CHUNK = 1 << 22
SAVE = "Save it again as .xlsx, or as CSV."
CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
ERROR, TEXT = re.compile(rb"""\bt=["']e["']"""), re.compile(rb"""\bt=["']str["']""")
VALUE = re.compile(rb"<(?:\w+:)?v>([^<]+)</")
FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*>([^<]*)</")


def require_small(path: Path, name: str, most: int) -> None:
    """Raise a UserError where a workbook, which is an archive, would be much larger unpacked than it can need."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())  # no more than this is unpacked of any part
    if size > most:
        raise UserError(
            f"«{name}» is {size / 1e6:,.0f} MB large when it is unpacked, and at most {most / 1e6:,.0f} MB are read. "
            "Copy the table alone into a new workbook, or save it as CSV."
        )


def keeps_errors(path: Path) -> bool:
    """Say whether errors of a workbook's cells can be read beside its reader: of .xlsx, not of .xls, .xlsb and .ods."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist()


def lost_cells(path: Path, name: str, title: str, most: int) -> dict[tuple[int, int], str]:
    """Return the cells of a sheet that hold an error or a formula without a value, by row and column from 0; none if it is no .xlsx.

    Raises
    ------
    UserError
        If the sheet's cells lie so far apart that they cannot be held.
    """
    if not zipfile.is_zipfile(path):
        return {}
    found: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(path) as archive:
        part = sheet_part(archive, title)
        if part is None:
            return {}
        rows, columns = set[int](), set[bytes]()
        with archive.open(part) as file:
            for chunk in whole_cells(file):
                places = PLACE.findall(chunk)
                columns.update(column for column, _ in places)
                rows |= {int(places[0][1]), int(places[-1][1])} if places else set()
                found |= lost_in(chunk)
    numbers = [column_number(column) for column in columns]
    if rows and (max(rows) - min(rows) + 1) * (max(numbers) - min(numbers) + 1) > most:
        raise UserError(
            f"«{name}», sheet '{title}': its cells reach to row {max(rows):,} and column {max(numbers) + 1:,}, more than can be read. "
            "Delete what stands far from the table, or save it as CSV."
        )
    return found


def sheet_part(archive: zipfile.ZipFile, title: str) -> str | None:
    """Return the part of an .xlsx that holds a sheet."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    targets = {
        one.get("Id"): one.get("Target", "")
        for one in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for one in sheets.iter():
        if one.tag.rpartition("}")[2] == "sheet" and one.get("name") == title:
            key = next((value for attribute, value in one.attrib.items() if attribute.rpartition("}")[2] == "id"), None)
            target = targets.get(key, "")
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            return part if part in names else None
    return None


def whole_cells(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a sheet's text in parts that do not end within a cell."""
    rest = b""
    while chunk := file.read(CHUNK):
        text = rest + chunk
        end = max(text.rfind(b"c>"), text.rfind(b"/>")) + 2
        end = end if end > 1 else len(text)
        yield text[:end]
        rest = text[end:]
    yield rest


def lost_in(text: bytes) -> dict[tuple[int, int], str]:
    """Return the cells that hold an error, or a formula and no value, of a part of a sheet."""
    if b"f>" not in text and not ERROR.search(text):
        return {}
    found = {}
    for cell in CELL.finditer(text):
        attributes, content = cell[1], cell[2]
        place, value = PLACE.search(attributes), VALUE.search(content)
        if not place:
            continue
        at = (int(place[2]) - 1, column_number(place[1]))
        if ERROR.search(attributes) and value:
            found[at] = value[1].decode()
        elif (
            (formula := FORMULA.search(content))
            and not value
            and b"<is>" not in content
            and b't="str"' not in attributes
        ):
            found[at] = "=" + formula[1].decode("utf-8", "replace")
    return found


def column_number(letters: bytes) -> int:
    """Return the number, from 0, of a column that Excel calls A, B … AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1
