"""What a source of facts is: where its facts come from, which files they are, and how they are checked. Each is a folder in `sources/`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from forecasting.errors import UserError
from forecasting.facts.tables import FactTable, Reading


class Source(ABC):
    """One kind of source. It writes over what is not so with it; `docs/sources.md` adds one, step by step.

    name: what SOURCE= calls it; the folders in `sources/` and in dbt/models/sources/ are called so too.
    needs: what FACTS= must be, in words; «» where the source has facts of its own without. refuses: why no FACTS= may be given; «»
    where it may. keeps: the folder of a workspace in which facts of its own lie, `runs` (can be made again) or `data` (is never
    deleted). made_by: the modules that make them, if they are made.
    """

    name: ClassVar[str]
    needs: ClassVar[str] = "the folder or file that holds the facts"
    refuses: ClassVar[str] = ""
    keeps: ClassVar[str] = "runs"
    made_by: ClassVar[frozenset[str]] = frozenset()

    def bring(self, place: Path, settings: dict[str, Any], code: str) -> list[str]:
        """Bring facts of its own to a folder, where they are not there as they should be; return what to say of it.

        `settings`: the workspace's, from params/. `code`: a hash of the modules `made_by`. Not called where FACTS= was given.
        """
        return []

    @abstractmethod
    def files(self, facts: Path) -> dict[str, Path]:
        """Return the files whose content the facts are, by a name that does not depend on where they lie.

        Raises
        ------
        UserError
            If a file that it needs is missing.
        """

    @abstractmethod
    def inspect(self, facts: Path, columns: dict[str, Any], reading: Reading) -> dict[str, FactTable]:
        """Check the facts and return the fact tables, by name: `sales`, and what there is of the others.

        `columns`: fact table → {contract's name: the file's name}, as params/ states it.

        Raises
        ------
        UserError
            If a file, column or value cannot be used: says which, where, and what to do.
        """


@contextmanager
def can_be_left_out(table: str, file: str) -> Iterator[None]:
    """Where a table that is not needed cannot be used, add to the error that the others can be forecast without it."""
    try:
        yield
    except UserError as error:
        if table == "sales":
            raise
        raise UserError(f"{error} To forecast the rest meanwhile, move {file} to another folder.") from None


def require_file(path: Path) -> None:
    """Raise a UserError if a path is no file that can be opened: a folder, a device, a pipe, or forbidden."""
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or pipe" if path.exists() else "missing"
        raise UserError(f"{path} is {kind} where a file of facts belongs.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. See to its permissions.") from None
