"""Makes of a text file a plain one: UTF-8 without a mark, and counts what decides how it can be read."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts.table_files.shapes import Notes

CHUNK = 1 << 22
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class PlainText:
    """A file of UTF-8 text without a mark; how many line ends of each kind it has, and whether any quotes and NUL characters."""

    path: Path
    encoding: str
    crlf: int
    lf: int
    cr: int
    quotes: bool
    nul: bool
    valid: bool

    last: str

    @property
    def line_end(self) -> str:
        """The line end that most lines have."""
        ends = {"\n": self.lf, "\r\n": self.crlf, "\r": self.cr}
        return max(ends, key=ends.__getitem__)

    @property
    def n_lines(self) -> int:
        """How many lines there are up to the last that has text."""
        ends = self.crlf + self.lf + self.cr
        after = self.last[len(self.last.rstrip("\r\n")) :]
        return (
            ends
            - max(after.replace("\r\n", "\n").count("\n") + after.replace("\r\n", "\n").count("\r") - 1, 0)
            + (not after)
        )


def plain(path: Path, stated: str | None, folder: Path, notes: Notes) -> PlainText:
    """Return a file as plain text, a copy in a folder where it must be rewritten.

    Raises
    ------
    UserError
        If it is no text of its encoding.
    """
    encoding = stated or encoding_of(path, notes)
    if encoding != "utf-8":
        return counted(rewritten(path, encoding, folder), encoding)
    return counted(path, encoding)


def encoding_of(path: Path, notes: Notes) -> str:
    """Return the encoding that a file is written in."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in BOMS:
        if start.startswith(mark):
            notes.evidence.append(f"The encoding is {encoding}: the file begins with its mark.")
            return encoding
    return "utf-8"


def rewritten(path: Path, encoding: str, folder: Path) -> Path:
    """Write a file's text as UTF-8 without a mark into a folder and return it."""
    target = folder / "plain.txt"
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as file:
        try:
            while chunk := source.read(CHUNK):
                file.write(decoder.decode(chunk))
            file.write(decoder.decode(b"", True))
        except UnicodeDecodeError as error:
            raise UserError(f"{path.name} is no text in {encoding}: {error.reason}. State its `encoding`.") from None
    return target


def counted(path: Path, encoding: str) -> PlainText:
    """Count the line ends of a file of UTF-8 text."""
    crlf = lf = cr = 0
    quotes = nul = False
    valid = True
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    last, end = b"", b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            both = chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            crlf, lf, cr = crlf + both, lf + chunk.count(b"\n") - both, cr + chunk.count(b"\r") - both
            quotes, nul = quotes or b'"' in chunk, nul or b"\0" in chunk
            valid, last, end = valid and decodes(decoder, chunk), chunk[-1:], (end + chunk)[-CHUNK:]
    valid = valid and decodes(decoder, b"", True)
    return PlainText(path, encoding, crlf, lf, cr, quotes, nul, valid, end.decode("utf-8", "replace"))


def decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    """Say whether a chunk is text of a decoder's encoding."""
    try:
        decoder.decode(chunk, final)
        return True
    except UnicodeDecodeError:
        return False
