"""Experience for the network before it sees a company: public monthly series, without a month of any competition's test part.

In: the packages of the group `pretrain`, and the names of sets to do without. Out: the `Corpus`, all series in one long table, with what
was dropped and why; it is kept below `runs/pretraining/`.
"""

from forecasting.pretraining.corpus import Corpus, build
from forecasting.pretraining.kept import corpus_of, described, folder_of
from forecasting.pretraining.sources import SOURCES, Source

__all__ = ["SOURCES", "Corpus", "Source", "build", "corpus_of", "described", "folder_of"]
