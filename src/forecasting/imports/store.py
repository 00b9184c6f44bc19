"""What imports leave in `data/<name>/`: facts, quarantine and imports.json, which change together and in one step.

They are links into `imported`, itself a link to the folder of the last import. A new one is written beside it, files that stay as
second names of the same content, and becomes the last by replacing that one link: a killed import leaves the old state.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.files import digest

CURRENT, RUNNING, LINKS = "imported", ".importing", ("facts", "quarantine", "imports.json")
GENERATION = r"imported-[0-9a-f]{10}"


class Store:
    """The imports of one workspace; `data` is its folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    @property
    def current(self) -> Path:
        """The folder of the last import, which need not be there."""
        return self.data / CURRENT

    def record(self) -> dict[str, Any]:
        """Return imports.json: table → file → what was imported of it, oldest first."""
        path = self.current / "imports.json"
        if not path.exists():
            return {}
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(
                f"{self.data.name}/imports.json is damaged ({error}). Take data/{self.data.name} from a backup."
            ) from None

    def facts_file(self, table: str, stem: str) -> Path:
        """Return where the facts of an imported file are."""
        return self.current / "facts" / table / f"{stem}.parquet"

    @contextmanager
    def next(self) -> Iterator[Path]:
        """Give a folder that holds what the last import left; what is changed in it counts once the block has ended without an error."""
        self.require_own()
        scratch = self.data / RUNNING
        shutil.rmtree(scratch, ignore_errors=True)
        for name in ("facts", "quarantine"):
            (scratch / name).mkdir(parents=True)
        if self.current.exists():
            shutil.copytree(self.current, scratch, copy_function=second_name, dirs_exist_ok=True)
        try:
            yield scratch
            self.switch(scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def require_own(self) -> None:
        """Raise a UserError if something else stands where facts, quarantine or imports.json belong."""
        for name in LINKS:
            path = self.data / name
            if path.exists() and not path.is_symlink():
                raise UserError(
                    f"data/{self.data.name}/{name} was not made by make import. Move it, or import under another NAME."
                )

    def switch(self, scratch: Path) -> None:
        """Make the scratch folder the last import, and remove the one before."""
        record = (scratch / "imports.json").read_text(encoding="utf-8")
        name = f"imported-{digest(record)[:10]}"
        if self.current.exists() and self.current.resolve().name == name:
            return
        shutil.rmtree(self.data / name, ignore_errors=True)
        scratch.rename(self.data / name)
        for link in LINKS:  # they hang in the air until the last step of the first import
            if not (self.data / link).is_symlink():
                (self.data / link).symlink_to(f"{CURRENT}/{link}")
        new = self.data / f"{CURRENT}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(name)
        os.replace(new, self.current)
        for old in self.data.iterdir():
            if re.fullmatch(GENERATION, old.name) and old.name != name:
                shutil.rmtree(old, ignore_errors=True)


def second_name(source: str, target: str) -> None:
    """Give a file a second name instead of a copy, or copy it where the disk cannot; the record is always a copy, since it is rewritten."""
    if Path(source).name == "imports.json":
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
