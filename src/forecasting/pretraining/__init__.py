"""Experience for the network before it sees a company: public monthly series, without a month of any test part, and made ones.

In: the packages of the group `pretrain`, the names of sets to do without, and seeds. Out: the `Corpus`, all public series in one long
table, with what was dropped and why, which is kept below `runs/pretraining/`; and blocks of made series and of mixtures of real ones, the
same numbers each time they are asked for.
"""

from forecasting.pretraining.corpus import Corpus, build
from forecasting.pretraining.kept import corpus_of, described, folder_of
from forecasting.pretraining.making import KINDS, Made, make, mix
from forecasting.pretraining.sources import SOURCES, Source

__all__ = [
    "KINDS",
    "SOURCES",
    "Corpus",
    "Made",
    "Source",
    "build",
    "corpus_of",
    "described",
    "folder_of",
    "make",
    "mix",
]
