"""Makes of a text file a plain one: UTF-8 without a mark, and counts what decides how it can be read."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts.table_files.encodings import encoding_of
from forecasting.facts.table_files.shapes import Notes

CHUNK = 1 << 22


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
    def mixed_ends(self) -> str:
        """How many lines end in which way, '' where all end alike."""
        found = [f"{n:,} with {end}" for end, n in (("CR LF", self.crlf), ("LF", self.lf), ("CR", self.cr)) if n]
        return ", ".join(found) if len(found) > 1 else ""

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.path.stat().st_size

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


def plain(path: Path, name: str, stated: str | None, folder: Path, notes: Notes) -> PlainText:
    """Return a file as plain text, a copy in a folder where it must be rewritten. Bytes that are no text in its encoding stay as they are.

    Raises
    ------
    UserError
        If it is no text, or of UTF-16 a damaged one; Undecided where it cannot be told in which encoding.
    """
    encoding = stated or encoding_of(path, name, notes)
    if encoding != "utf-8":
        return counted(rewritten(path, name, encoding, folder), encoding)
    return counted(path, encoding)


def rewritten(path: Path, name: str, encoding: str, folder: Path) -> Path:
    """Write a file's text as UTF-8 without a mark into a folder and return it."""
    target, n_lines = folder / "plain.txt", 0
    errors = "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as source, target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        try:
            while chunk := source.read(CHUNK):
                text = decoder.decode(chunk)
                n_lines += text.count("\n")
                file.write(text)
            file.write(decoder.decode(b"", True))
        except UnicodeDecodeError as error:
            place = f"{name}, after line {n_lines + 1:,}"
            raise UserError(
                f"{place}: no text in {encoding} ({error.reason}). Fetch it again, or state its `encoding`."
            ) from None
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
