"""What a model may know of a month and of a series' past: pure functions of the month and the history.

Nothing here is stored in the warehouse, so future months and series that were never loaded have the same features.
Months are whole numbers (months since January 1970); a missing month is NaN and stays missing. A history is held as a
`Panel` whose last column is each series' own last known month; a window is the stretch of it that ends at an origin.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.contracts import SEASON_LENGTH
from forecasting.series import mean

LOOK_BACK_MONTHS = 3 * SEASON_LENGTH  # of a window
CHANGE_MONTHS = (1, 3, 6, 12)  # stretches compared with the same months a year earlier
GROWTH_LIMITS = (0.5, 2.0)  # growth outside this range is a start, an end or a slip, not a trend to extend
LIMIT = 5.0  # features and targets are cut at ± this many scales
NEAR_ZERO = 1e-3  # a base below this share of the scale gives no usable ratio


def days_in_month(months: np.ndarray) -> np.ndarray:
    """Return the number of days of each month number."""
    month = np.asarray(months).astype("datetime64[M]")
    return ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)


def working_days(months: np.ndarray) -> np.ndarray:
    """Return the days from Monday to Friday in each month number; public holidays are not known."""
    month = np.asarray(months).astype("datetime64[M]")
    return np.busday_count(month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]"))


def windows(values: np.ndarray, length: int = LOOK_BACK_MONTHS) -> np.ndarray:
    """Return for every cell of `values` [series, months] the months that end there: a view [series, months, length]."""
    padded = np.hstack([np.full((len(values), length - 1), np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)


def lag(window: np.ndarray, months: int) -> np.ndarray:
    """Return the value `months` before the origin of each window [n]; 0 is the origin itself."""
    return window[:, -1 - months]


def rolling_mean(window: np.ndarray, months: int, before: int = 0) -> np.ndarray:
    """Return the mean of `months` months, the last of them `before` months before the origin [n]."""
    end = window.shape[1] - before
    return mean(window[:, end - months : end])


def level_scale(window: np.ndarray) -> np.ndarray:
    """Return the mean absolute value of the last two years [n]: the unit in which features and targets are measured."""
    return mean(np.abs(window[:, -2 * SEASON_LENGTH :]))


def year_on_year(window: np.ndarray, months: int, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how the last `months` months compare with the same months a year earlier, as (ratio, difference) [n].

    No change (1, 0) where the year before is not fully known; a ratio of 1 where it would divide by about nothing or
    compare values of opposite sign. Ratios are cut to GROWTH_LIMITS.
    """
    now = rolling_mean(window, months)
    end = window.shape[1] - SEASON_LENGTH
    before = window[:, end - months : end].mean(axis=1)
    usable = np.isfinite(before) & (np.abs(before) > NEAR_ZERO * scale) & (now * before > 0)
    ratio = np.where(usable, now / np.where(usable, before, 1.0), 1.0)
    return np.clip(ratio, *GROWTH_LIMITS), np.where(np.isfinite(before), now - before, 0.0)


def seasonal_profile(window: np.ndarray) -> np.ndarray:
    """Return each calendar month's mean distance from its year's mean, over up to three years [n, 12].

    Years are counted back from the origin; column h − 1 is the month h months after the origin.
    """
    years = window[:, -LOOK_BACK_MONTHS:].reshape(len(window), LOOK_BACK_MONTHS // SEASON_LENGTH, SEASON_LENGTH)
    return mean(years - mean(years)[:, :, None], axis=1)


@dataclass(frozen=True)
class Design:
    """Features [n, len(names)] of n origins for one horizon, unit-free; a forecast is reference + scale × deviation."""

    names: list[str]
    features: np.ndarray
    reference: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class LookBack:
    """What windows [n, 36] say whatever the horizon, in the series' unit: measured once, used for every horizon.

    `changes`: (ratio, difference) [n] of `year_on_year` by months; `levels`: mean of the last year, and of the two before it, by
    years back; `adjusted`: seasonally adjusted mean of the last months, by months.
    """

    window: np.ndarray
    scale: np.ndarray
    changes: dict[int, tuple[np.ndarray, np.ndarray]]
    levels: dict[int, np.ndarray]
    profile: np.ndarray
    adjusted: dict[int, np.ndarray]

    @classmethod
    def of(cls, window: np.ndarray) -> "LookBack":
        """Measure windows."""
        scale, profile = level_scale(window), seasonal_profile(window)
        adjusted = window[:, -SEASON_LENGTH:] - profile
        return cls(
            window,
            scale,
            {months: year_on_year(window, months, scale) for months in CHANGE_MONTHS},
            {years: rolling_mean(window, SEASON_LENGTH, before=years * SEASON_LENGTH) for years in range(3)},
            profile,
            {months: mean(adjusted[:, -months:]) for months in (1, 3, 6)},
        )

    def only(self, mask: np.ndarray) -> "LookBack":
        """Return the windows for which `mask` [n] is true."""
        return LookBack(
            self.window[mask],
            self.scale[mask],
            {months: (ratio[mask], difference[mask]) for months, (ratio, difference) in self.changes.items()},
            {years: level[mask] for years, level in self.levels.items()},
            self.profile[mask],
            {months: level[mask] for months, level in self.adjusted.items()},
        )


def design(past: LookBack, origin: np.ndarray, horizon: int) -> Design:
    """Describe n origins for a forecast `horizon` (1 … 12) months ahead.

    Parameters
    ----------
    past: of the windows that end at the origins.
    origin: month number of each origin [n].

    The reference is the value of the same month a year earlier. Each feature is one plausible departure from it,
    divided by `level_scale`, so a series × 1,000 has the same features. A feature whose months are missing is 0: no
    departure.
    """
    reference, scale = lag(past.window, SEASON_LENGTH - horizon), past.scale
    columns = {
        **_changes(past, reference),
        **_earlier_years(past, reference, horizon),
        **_seasonally_adjusted(past, reference, horizon),
        **_recent_months(past),
        **_calendar(origin + horizon, reference, scale),
    }
    unit = np.where(scale > 0, scale, 1.0)
    features = np.column_stack(list(columns.values())) / unit[:, None]
    features = np.clip(np.where(np.isfinite(features), features, 0.0), -LIMIT, LIMIT)
    return Design(list(columns), features, reference, scale)


def _changes(past: LookBack, reference: np.ndarray) -> dict[str, np.ndarray]:
    """Carry the change since last year over to the forecast month, as a growth rate and as an amount."""
    columns = {}
    for months, (ratio, difference) in past.changes.items():
        columns[f"growth_{months}m"] = reference * (ratio - 1.0)
        columns[f"change_{months}m"] = difference
    return columns


def _earlier_years(past: LookBack, reference: np.ndarray, horizon: int) -> dict[str, np.ndarray]:
    """Return the same month two and three years earlier, as it was and moved to the level of the last year."""
    columns = {}
    for years in (2, 3):
        value = lag(past.window, years * SEASON_LENGTH - horizon)
        moved = value - past.levels[years - 1] + past.levels[0]
        columns[f"same_month_{years}y"] = value - reference
        columns[f"same_month_{years}y_at_level"] = moved - reference
    return columns


def _seasonally_adjusted(past: LookBack, reference: np.ndarray, horizon: int) -> dict[str, np.ndarray]:
    """Return the seasonally adjusted mean of the last 1, 3 and 6 months, put back into the forecast month's season."""
    season = past.profile[:, horizon - 1]
    return {f"adjusted_level_{months}m": level + season - reference for months, level in past.adjusted.items()}


def _recent_months(past: LookBack) -> dict[str, np.ndarray]:
    """Return the last twelve months as distances from their mean."""
    return {f"lag_{k}": lag(past.window, k) - past.levels[0] for k in range(SEASON_LENGTH)}


def _calendar(month: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """Return the forecast month's working days and days against a year earlier, and effects of calendar months."""
    before = month - SEASON_LENGTH
    columns = {
        "working_days": reference * (working_days(month) / working_days(before) - 1.0),
        "days": reference * (days_in_month(month) / days_in_month(before) - 1.0),
    }
    for number in range(1, SEASON_LENGTH + 1):
        is_month = month % SEASON_LENGTH == number - 1
        columns[f"month_{number:02d}_growth"] = is_month * reference
        columns[f"month_{number:02d}_amount"] = is_month * scale
    return columns
