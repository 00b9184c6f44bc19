"""Unpacks .gz and .zip, and says by its first bytes what a file is. No more is unpacked than a table can need."""

import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO

from forecasting.errors import UserError
from forecasting.facts.table_files.shapes import Undecided

CHUNK = 1 << 22
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SAVE = "Open it in Excel or LibreOffice and save it as .xlsx or CSV."
HTML, PACKED = "a web page (HTML), as some programs export for Excel", "packed in a way that is not read here"
JSON, UNPACK = "Export it as CSV or Parquet.", "Unpack it first."
OTHERS = (
    *((first, HTML, SAVE) for first in (b"<html", b"<!doctype html", b"<table", b"<meta")),
    *((first, "JSON", JSON) for first in (b'{"', b'[{"', b"[\n", b"[\r\n", b"{\n", b"{\r\n")),
    *((first, PACKED, UNPACK) for first in (b"bzh", b"7z\xbc\xaf", b"rar!", b"\xfd7zxz", b"(\xb5/\xfd")),
    *(
        (b"<?xml", "an XML file", SAVE),
        (b"%pdf", "a PDF", "Export the table itself."),
        (b"{\\rtf", "an RTF document", SAVE),
    ),
)
WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # .xlsx, .xlsb, .ods


def unpacked(path: Path, member: str | None, folder: Path, most: int) -> tuple[Path, str | None]:
    """Return the file that a .gz or .zip holds, unpacked into a folder, and its name in the .zip; any other file is returned itself.

    Raises
    ------
    UserError
        If there is no such file, or the archive is damaged, too large or empty; Undecided where a .zip has several files and none is named.
    """
    if not path.is_file():
        raise UserError(
            f"{path} is {'a folder' if path.is_dir() else 'missing, or no file'} where a table file belongs."
        )
    if path.stat().st_size == 0:
        raise UserError(f"{path.name} is empty: it has no bytes.")
    with path.open("rb") as file:
        start = file.read(8)
    try:
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(path) as source:
                return copied(source, folder / path.name.removesuffix(".gz"), path.name, most), None
        if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
            with zipfile.ZipFile(path) as archive:
                if any(name in WORKBOOKS for name in archive.namelist()):
                    return path, None
                chosen = the_member(path.name, archive, member)
                with archive.open(chosen) as source:
                    return copied(source, folder / Path(chosen).name, f"{path.name} / {chosen}", most), chosen
    except (
        EOFError,
        PermissionError,
        zlib.error,
        gzip.BadGzipFile,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise UserError(f"{path.name} cannot be unpacked: {problem(error)}. Fetch or pack the file again.") from None
    return path, None


def problem(error: Exception) -> str:
    """Return what is wrong with an archive."""
    if isinstance(error, EOFError):
        return "it ends too early, as a file does whose download broke off"
    if isinstance(error, PermissionError):
        return "this user may not read it"
    if isinstance(error, RuntimeError):
        return "it is protected by a password, or packed in a way that is not known here"
    return f"it is damaged ({str(error)[:100]})"


def the_member(name: str, archive: zipfile.ZipFile, stated: str | None) -> str:
    """Return the file in an archive that is stated, or the only one."""
    found = [one.filename for one in archive.infolist() if not one.is_dir() and not is_hidden(one.filename)]
    if stated is not None and stated not in found:
        raise UserError(f"{name} has no file '{stated}'. It has {', '.join(found) or 'none'}.")
    if not found:
        raise UserError(f"{name} is an empty archive.")
    if stated is None and len(found) > 1:
        raise Undecided(
            f"{name} holds {len(found)} files: {', '.join(found[:20])}. State which one is meant as `member`.",
            "member",
            dict.fromkeys(found, ""),
        )
    return stated or found[0]


def is_hidden(name: str) -> bool:
    """Say whether a file in an archive is what an operating system leaves there."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def copied(source: IO[bytes], target: Path, name: str, most: int) -> Path:
    """Copy a stream into a file and return it, or raise a UserError where it is larger than a table can be, or than there is room for."""
    most, size = min(most, shutil.disk_usage(target.parent).free // 2), 0
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise UserError(
                    f"{name} is larger than {most / 1e6:,.0f} MB when it is unpacked; no more is unpacked here. Split it by months."
                )
            file.write(chunk)
    return target


def form_of(path: Path, name: str) -> str:
    """Return 'parquet', 'workbook' or 'text' by a file's first bytes.

    Raises
    ------
    UserError
        If they are those of another kind of file, whatever its name says.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((OLE, b"PK\x03\x04")):
        return "workbook"
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for first, kind, advice in OTHERS:
        if plain.startswith(first):
            raise UserError(f"{name} is {kind}, whatever its name says. {advice}")
    return "text"
