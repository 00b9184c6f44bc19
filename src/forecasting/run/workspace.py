"""A workspace: the folders of one company, what it remembers of its facts, and a run that has it for itself."""

import json
import os
import re
import reprlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.files import write_if_changed
from forecasting.run import lock, params, progress, warm
from forecasting.run.ranges import check_day

DEFAULT_SOURCE = "sample"


@dataclass(frozen=True)
class Workspace:
    """The folders of one company. `root` is the project's folder; `facts` is None where the source makes its own.

    `as_of`: the day that make was told to stand on, None for what `params/` say.
    """

    root: Path
    name: str
    source: str
    facts: str | None
    profile: str | None = None
    as_of: str | None = None

    def settings(self, domain: str) -> dict[str, Any]:
        """Return the parameters of a domain, as `params.resolve` does."""
        return params.resolve(self.root, self.name, domain, self.profile, self.as_of)

    @property
    def data(self) -> Path:
        """What must never be lost: warehouse, published copy, MLflow store."""
        return self.root / "data" / self.name

    @property
    def runs(self) -> Path:
        """What can be rebuilt: executed notebooks, tables between steps, the report."""
        return self.root / "runs" / self.name

    @property
    def warehouse(self) -> Path:
        """The database that only dbt, the export of the training sets and `publish` open."""
        return self.data / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The database that everybody else reads."""
        return self.data / "published.duckdb"

    @property
    def facts_path(self) -> Path:
        """Where the facts are; those that a source brings itself are in a folder of the workspace."""
        if self.facts:
            return self.root / self.facts
        from forecasting.facts import source_named

        return getattr(self, source_named(self.source).keeps) / "facts"

    def domains(self) -> list[str]:
        """Return the domains that the last `make data` built.

        Raises
        ------
        UserError
            If nothing has been built yet.
        """
        return self.built()["domains"]

    def missing(self) -> dict[str, str]:
        """Return the domains of which there are facts that could not be built then, and for each why."""
        return self.built().get("missing", {})

    def require_same_day(self) -> None:
        """Raise a UserError where the last `make data` stood on another day than this command: another run came between."""
        day, built = self.settings("sales")["as_of"], self.built()
        if "as_of" in built and built["as_of"] != day:
            was, now = (f"as of {each}" if each else "from all facts" for each in (built["as_of"], day))
            raise UserError(
                f"The training sets of the workspace «{self.name}» were built {was}, not {now}: another run came between, or AS_OF=… "
                "is missing or another. Begin again, with make monthly or make cycle-data."
            )

    def built(self) -> dict[str, Any]:
        """Return what the last `make data` noted."""
        built = self.runs / "built.json"
        if not built.exists():
            raise UserError(f"Nothing has been built in the workspace «{self.name}» yet: run make data.")
        try:
            return json.loads(built.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(
                f"runs/{self.name}/built.json is damaged ({error}): delete it and run the same command again."
            ) from None

    def remember(self) -> None:
        """Write down to which source and facts this workspace belongs."""
        memory = {"source": self.source, "facts": self.facts}
        write_if_changed(self.data / "workspace.json", json.dumps(memory, indent=2, sort_keys=True) + "\n")


def open_workspace(
    root: Path, name: str, source: str = "", facts: str = "", profile: str = "", as_of: str = ""
) -> Workspace:
    """Return the workspace `name`, with the source and facts given or, where none are given, remembered.

    Raises
    ------
    UserError
        If the name cannot be a folder, the facts are missing, or the workspace belongs to another source or other facts.
    """
    if facts and not source and not name:
        raise UserError("FACTS needs a SOURCE and a NAME: make report SOURCE=csv FACTS=… NAME=acme.")
    if as_of:
        check_day("AS_OF", as_of)
    name = name or source or DEFAULT_SOURCE
    require_name(name)
    memory = root / "data" / name / "workspace.json"
    known = remembered(memory) if memory.exists() else {}
    if source and source != known.get("source"):
        require_known(source)
    source = source or known.get("source") or source_of_new(root, name)
    facts_given = facts_as_remembered(root, facts)
    if known and (source != known["source"] or (facts and not is_same_place(root, facts_given, known["facts"]))):
        raise UserError(belongs_elsewhere(name, known, source, facts_given))
    found = facts_given or known.get("facts")
    if not known:
        require_fit(source, found)
    return Workspace(root, name, source, found, profile or None, as_of or None)


def require_name(name: str) -> None:
    """Raise a UserError unless a name can be that of a workspace."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        raise UserError(
            f"NAME={name[:80]!r} cannot be a workspace: use letters, digits, «-» and «_», at most 63 of them."
        )


def remembered(memory: Path) -> dict[str, Any]:
    """Return what a workspace remembers: source and facts (None where the source makes its own).

    Raises
    ------
    UserError
        If the file is damaged: guessing could mix two companies.
    """
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        known = str(error)
    whole = (
        isinstance(known, dict)
        and isinstance(known.get("source"), str)
        and isinstance(known.get("facts", 0), str | None)
    )
    if not whole:
        raise UserError(
            f"data/{memory.parent.name}/workspace.json is damaged: it must say to which source and facts the workspace belongs, as in "
            f'{{"facts": "path/to/folder", "source": "csv"}} (null for the sample\'s own facts). Found: {reprlib.repr(known)}. '
            "Put it right, or take it from a backup, and run the same command again."
        )
    return known


def require_known(source: str) -> None:
    """Raise a UserError that names the sources unless `source` is one of them."""
    from forecasting.facts import KNOWN_SOURCES

    if source not in KNOWN_SOURCES:
        raise UserError(f"There is no SOURCE={source[:80]}: sources are {', '.join(KNOWN_SOURCES)}.")


def require_fit(source: str, facts: str | None) -> None:
    """Raise a UserError if FACTS are missing though the source needs them, or given though it takes none."""
    from forecasting.facts import source_named

    known = source_named(source)
    if facts is None and known.needs:
        raise UserError(f"SOURCE={source} needs FACTS=…, {known.needs}.")
    if facts is not None and known.refuses:
        raise UserError(f"SOURCE={source} takes no FACTS=…: {known.refuses}.")


def source_of_new(root: Path, name: str) -> str:
    """Return the source of a workspace that is not there yet: none but the sample's own may go without saying."""
    if name == DEFAULT_SOURCE:
        return DEFAULT_SOURCE
    known = sorted(path.parent.name for path in (root / "data").glob("*/workspace.json"))
    raise UserError(
        f"There is no workspace «{name}» yet ({', '.join(known) or 'none'} so far). Say where its facts are, "
        f"SOURCE=csv FACTS=… NAME={name}, or SOURCE=sample NAME={name} for the made-up sample company."
    )


def facts_as_remembered(root: Path, facts: str) -> str | None:
    """Return the facts' path relative to the project where that is possible, so that a moved project still finds them."""
    return os.path.relpath(Path(facts).expanduser().resolve(), root) if facts else None


def is_same_place(root: Path, given: str | None, known: str | None) -> bool:
    """Say whether two paths are the same facts, also where one is a link to the other, as the facts of make import are."""
    return given == known or bool(given and known and (root / given).resolve() == (root / known).resolve())


def belongs_elsewhere(name: str, known: dict, source: str, facts: str | None) -> str:
    """Return the refusal for a workspace that was made from other facts."""
    return (
        f"The workspace «{name}» belongs to SOURCE={known['source']} FACTS={known['facts'] or '(its own)'}, "
        f"not to SOURCE={source} FACTS={facts or '(its own)'}: two companies never share tables, runs or a champion. "
        f"Give the other company a name of its own (NAME=…). If the same facts have moved, change «facts» in "
        f"data/{name}/workspace.json."
    )


def run_alone(workspace: Workspace, command: list[str], steps: warm.Steps | None = None) -> int:
    """Run `command` while holding the workspace and return its exit code, 130 where it was stopped (Ctrl-C, SIGTERM).

    Meanwhile do the `steps` that the command asks for; see `warm`. At the end say how many there were. It returns only when all
    that it started has ended.
    """
    stops: list[int] = []
    with lock.only_run(workspace.data) as handle, lock.private_folder() as (folder, kept), on_sigterm(stops.append):
        held = (handle.fileno(), kept)
        known = {warm.FOLDER: str(folder), lock.HELD: " ".join(map(str, held))}
        server = warm.Server(folder, steps, known) if steps and sys.platform == "linux" else None
        process = subprocess.Popen(command, pass_fds=held, env={**os.environ, **known})
        while (code := process.poll()) is None:
            try:
                if stops:
                    stops.clear()
                    print("Stopping …", file=sys.stderr)
                    process.terminate()
                    if server:
                        server.stop_all()
                server.turn() if server else time.sleep(warm.LOOK_EVERY)
            except KeyboardInterrupt:  # the child got the same signal: let it put things in order
                print("Stopping …", file=sys.stderr)
        if server:
            server.close()
        if code == 0:
            progress.show_end(folder)
        else:
            lock.remove_empty(workspace.runs)
        return 130 if code in (-signal.SIGINT, -signal.SIGTERM, 130) else code


@contextmanager
def on_sigterm(act: Callable[[int], None]) -> Iterator[None]:
    """Do something else than to die of a SIGTERM."""
    before = signal.signal(signal.SIGTERM, lambda number, _: act(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
