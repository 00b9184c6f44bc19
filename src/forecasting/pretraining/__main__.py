"""`python -m forecasting.pretraining`: gathers the public series, and trains the network on them and on made ones.

What `make pretrain` calls. Exit codes as those of `python -m forecasting`.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from forecasting.errors import UserError
from forecasting.pretraining.corpus import Corpus
from forecasting.pretraining.kept import ROWS, corpus_of, folder_of
from forecasting.pretraining.recipe import Recipe
from forecasting.pretraining.sources import SOURCES

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "python -m forecasting.pretraining"


def main(arguments: list[str] | None = None, root: Path = ROOT, recipe: Recipe | None = None) -> int:
    """Do one step, print what came of it and return the exit code."""
    given = parser().parse_args(arguments)
    try:
        if given.step == "corpus":
            gather(root, frozenset(given.without.split()))
        else:
            train(root, recipe or Recipe(), given.install == "1")
    except UserError as error:
        print(f"\nError: {error}\n", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def gather(root: Path, without: frozenset[str]) -> None:
    """Gather the corpus and print what is in it."""
    found = corpus_of(root, without)
    print(table(found).to_string(index=False))
    print(f"fingerprint {found.fingerprint()}")
    print(f"The corpus is {(folder_of(root, without) / ROWS).relative_to(root).as_posix()}")


def train(root: Path, recipe: Recipe, installed: bool) -> None:
    """Train the networks, or go on with that, and put the weights into the package if that is asked for."""
    from forecasting.pretraining import training

    weights = training.train(root, recipe)
    print(f"The weights and their card are in {weights.relative_to(root).as_posix()}")
    if installed:
        training.install(root, weights)
        print("They are now those of the package.")


def table(corpus: Corpus) -> pd.DataFrame:
    """Return the counts of each source with the licence of its data, and their sum."""
    counts = corpus.counts()
    licences = counts["source"].map({name: source.data_licence for name, source in SOURCES.items()})
    total = counts.select_dtypes("number").sum().to_frame().T.assign(source="all", licence="")
    return pd.concat([counts.assign(licence=licences), total], ignore_index=True)


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    top = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    steps = top.add_subparsers(required=True, dest="step", metavar="corpus | train")
    of_corpus = steps.add_parser("corpus", help="gather the public series, or say what is in those gathered before")
    of_corpus.add_argument("--without", default="", help="names of sets to do without, with blanks between them")
    of_train = steps.add_parser("train", help="train the networks, or go on where that was stopped")
    of_train.add_argument("--install", default="", help="1: put the weights in the place of the package's")
    return top


if __name__ == "__main__":
    sys.exit(main())
