"""The corpus as it is kept below `runs/pretraining/`: made once, and again only when packages or rules have changed."""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.files import digest, write_if_changed
from forecasting.pretraining.corpus import DROPPED_COLUMNS, Corpus, build, require_known
from forecasting.pretraining.sources import SOURCES, Source
from forecasting.run import stamps

FOLDER = Path("runs") / "pretraining"
ROWS, CARD = "corpus.parquet", "corpus.json"
PACKAGE = Path(__file__).resolve().parents[1]
RULES = {"forecasting.pretraining.corpus"}  # and all that it imports


def folder_of(root: Path, without: Iterable[str] = ()) -> Path:
    """Return where a corpus without these sets is kept, and what is trained on it: `all` or `without_<set>`."""
    return root / FOLDER / ("without_" + "_and_".join(sorted(without)) if without else "all")


def corpus_of(root: Path, without: Iterable[str] = (), sources: Mapping[str, Source] = SOURCES) -> Corpus:
    """Return the corpus without these sets: the one that is kept, or a new one, which is then kept.

    Parameters
    ----------
    root: the project's folder.

    Raises
    ------
    UserError
        If a set to be left out is not known, or a package is missing or of another version.
    """
    without = frozenset(without)
    require_known(without, sources)
    made_of = digest(
        sorted(without), [source.fingerprint() for source in sources.values()], stamps.modules_hash(RULES, PACKAGE)
    )
    folder = folder_of(root, without)
    found = read(folder, made_of, without)
    if found is None:
        found = build(without, sources)
        write(folder, found, sources, made_of)
    return found


def read(folder: Path, made_of: str, without: frozenset[str]) -> Corpus | None:
    """Return the corpus that is kept in a folder, or None if there is none, or it was made of something else, or is not whole."""
    if not ((folder / CARD).is_file() and (folder / ROWS).is_file()):
        return None
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if card["made_of"] != made_of:
        return None
    dropped = pd.DataFrame(card["dropped"], columns=DROPPED_COLUMNS).astype({"correlation": "float64"})
    found = Corpus(pd.read_parquet(folder / ROWS), dropped, without)
    return found if found.fingerprint() == card["fingerprint"] else None


def write(folder: Path, corpus: Corpus, sources: Mapping[str, Source], made_of: str) -> None:
    """Keep a corpus: its rows first, then the card that says what it is, so that a card without its rows is never read."""
    rows = io.BytesIO()
    corpus.rows.to_parquet(rows, index=False)
    write_if_changed(folder / ROWS, rows.getvalue())
    card = {"made_of": made_of, **described(corpus, sources)}
    write_if_changed(folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def described(corpus: Corpus, sources: Mapping[str, Source]) -> dict[str, Any]:
    """Return what a model card says of a corpus: its fingerprint, each source with its licences and counts, what was dropped and why."""
    told = [field.name for field in fields(Source) if field.name != "read"]
    counts = corpus.counts().set_index("source").to_dict("index")
    dropped = corpus.dropped.round({"correlation": 6}).astype(object)
    return {
        "fingerprint": corpus.fingerprint(),
        "without": sorted(corpus.without),
        "sources": [
            {**{key: value for key, value in asdict(sources[name]).items() if key in told}, **counted}
            for name, counted in counts.items()
        ],
        "dropped": dropped.where(dropped.notna(), None).values.tolist(),
    }
