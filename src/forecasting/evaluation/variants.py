"""Which variant of one model to keep: that with the lowest loss at past cutoffs that are not held out, recent ones counting more."""

from collections.abc import Mapping

import pandas as pd

from forecasting.contracts import BackTest
from forecasting.evaluation.evidence import evidence, losses
from forecasting.evaluation.ranking import scored_rows

VARIANT_COLUMNS = ["loss", "lead_pct", "noise_pct"]


def kept_variant(back_tests: Mapping[str, BackTest], train: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Return the variant to keep, and what speaks for it.

    Parameters
    ----------
    back_tests: by variant, the one that is kept where nothing can be measured, or two are as good, first.

    Returns
    -------
    The variant's name, and a row per variant: its MASE over the cutoffs that choose (`loss`), its lead over the first one in %, and
    that lead's standard error (`evaluation.evidence`). Nothing is gained by asking for more than the better one: neither of two
    variants of a model is the safer.
    """
    first = next(iter(back_tests))
    rows = pd.concat([made.rows.assign(model_name=name) for name, made in back_tests.items()], ignore_index=True)
    known = losses(scored_rows(rows, train))
    if known.empty or known["model_name"].nunique() < 2:
        return first, pd.DataFrame(columns=VARIANT_COLUMNS).rename_axis("variant")
    found = evidence(known, "mase", first, named=[*back_tests])[VARIANT_COLUMNS].rename_axis("variant")
    best = found["lead_pct"].idxmax()
    return (str(best) if found.loc[best, "lead_pct"] > 0 else first), found
