"""What is computed from errors, for one history or for many simulated ones at once: the last axes are [months, horizons].

Errors are in units of what a month with that horizon usually misses (`usual`), so that all horizons of a month can be averaged.
"""

import numpy as np

RUNS = (2, 3)  # months: a break is looked for in the last two and three together, so one wild month alone is none
# What a single month may count at most, in usual sizes: it may be wild without a break.
CLIPS = {"level_shift": 4.0, "breadth": 4.0, "loss": 1.0}


def usual(errors: np.ndarray) -> np.ndarray:
    """Return the mean absolute error by horizon [..., horizons] of errors [..., months, horizons], never less with a longer horizon.

    The mean absolute deviation of Brown (1959), which one wild month moves less than a standard deviation. NaN where nothing is known.
    """
    size = _mean(np.abs(errors), axis=-2)
    return np.fmax.accumulate(size, axis=-1)


def by_month(errors: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the mean over the known horizons of errors / usual size [..., months]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _mean(errors / size[..., None, :], axis=-1)


def sums(code: str, months: np.ndarray) -> np.ndarray:
    """Return the sums over the last two and three months [..., len(RUNS)] of months, each cut to what one may count at most.

    NaN where one of them is not known.
    """
    known, cut = months.shape[-1], np.clip(months, -CLIPS[code], CLIPS[code])
    parts = [cut[..., -k:].sum(axis=-1) if k <= known else np.full(months.shape[:-1], np.nan) for k in RUNS]
    return np.stack(parts, axis=-1)


def tracking(errors: np.ndarray) -> np.ndarray:
    """Return Brown's tracking signal of the errors of one horizon [..., months], those that are known: their sum / their mean size."""
    size = _mean(np.abs(errors), axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nansum(errors, axis=-1) / size


def ratio(loss: np.ndarray, naive_loss: np.ndarray) -> np.ndarray:
    """Return the loss over a window as a multiple of the seasonal naive's on the same months and horizons [...]."""
    both = np.isfinite(loss) & np.isfinite(naive_loss)
    mine, other = (np.where(both, part, 0.0).sum(axis=(-2, -1)) for part in (loss, naive_loss))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(other > 0, mine / other, np.nan)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of the finite values; NaN where there is none."""
    known = np.isfinite(values)
    n = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)


mean = _mean
