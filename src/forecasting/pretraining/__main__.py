"""`python -m forecasting.pretraining corpus`: gathers the public series. Exit codes as those of `python -m forecasting`."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from forecasting.errors import UserError
from forecasting.pretraining.corpus import Corpus
from forecasting.pretraining.kept import ROWS, corpus_of, folder_of
from forecasting.pretraining.sources import SOURCES

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Gather the corpus, print what is in it and return the exit code."""
    given = parser().parse_args(arguments)
    without = frozenset(given.without.split())
    try:
        found = corpus_of(root, without)
    except UserError as error:
        print(f"\nError: {error}\n", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Nothing was written.", file=sys.stderr)
        return 130
    print(table(found).to_string(index=False))
    print(f"fingerprint {found.fingerprint()}")
    print(f"The corpus is {(folder_of(root, without) / ROWS).relative_to(root).as_posix()}")
    return 0


def table(corpus: Corpus) -> pd.DataFrame:
    """Return the counts of each source with the licence of its data, and their sum."""
    counts = corpus.counts()
    licences = counts["source"].map({name: source.data_licence for name, source in SOURCES.items()})
    total = counts.select_dtypes("number").sum().to_frame().T.assign(source="all", licence="")
    return pd.concat([counts.assign(licence=licences), total], ignore_index=True)


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    top = argparse.ArgumentParser(prog="python -m forecasting.pretraining", description=__doc__)
    steps = top.add_subparsers(required=True, metavar="corpus")
    gather = steps.add_parser("corpus", help="gather the public series, or say what is in those gathered before")
    gather.add_argument("--without", default="", help="names of sets to do without, with blanks between them")
    return top


if __name__ == "__main__":
    sys.exit(main())
