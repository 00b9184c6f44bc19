"""What must be true of a file before it is parsed: a file of UTF-8 text, without the marks that other programs leave."""

from pathlib import Path

from forecasting.errors import UserError

SAVE = "Save the file again as «CSV UTF-8»."
UTF16 = (b"\xff\xfe", b"\xfe\xff")
FOREIGN = {
    b"\0": f"a NUL byte, so it is no UTF-8 text (a workbook, or compressed?). {SAVE}",
    b"\x1a": "the character Ctrl-Z, with which old programs end a file. Delete it.",
}
CHUNK = 1 << 22  # bytes


def has_quotes(path: Path) -> bool:
    """Say whether a file has any double quotes.

    Raises
    ------
    UserError
        At the first byte that no CSV has: of UTF-16, a NUL, or Ctrl-Z as old systems end a file with.
    """
    quotes = False
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if file.tell() == len(chunk) and chunk.startswith(UTF16):
                raise UserError(f"{path.name}, line 1: the file is UTF-16 text, not UTF-8 text. {SAVE}")
            for byte, found in FOREIGN.items():
                if byte in chunk:
                    line = line_at(path, file.tell() - len(chunk) + chunk.index(byte))
                    raise UserError(f"{path.name}, line {line}: {found}")
            quotes = quotes or b'"' in chunk
    return quotes


def line_at(path: Path, place: int) -> int:
    """Return the line, the first is 1, in which a byte of a file stands."""
    with path.open("rb") as file:
        before = file.read(place)
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def not_utf8(path: Path) -> str | None:
    """Return a sentence about the first line that is not UTF-8 text."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return f"{path.name}, line {number}: not UTF-8 text. {SAVE}"
    return None
