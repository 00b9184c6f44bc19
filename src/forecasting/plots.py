"""The one palette, and the matplotlib pictures of the notebooks. They draw what others computed: no number changes."""

from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import MONTHLY, AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Okabe and Ito's colours, which people with any common colour blindness tell apart (jfly.uni-koeln.de/color).
BLUE, VERMILION, ORANGE, GREEN = "#0072B2", "#D55E00", "#E69F00", "#009E73"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#7A7A7A"
ACTUAL, FORECAST, BASELINE = BLUE, VERMILION, GREY
WALK_FORWARD = "#6B7280"  # orange means what is published, and nothing else
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)  # of models, in the order in which they are listed
DASHES, MARKERS = ("-", "--", "-.", ":"), ("o", "s", "^", "D")  # so that lines differ in print as well
FAR = 2  # times the error of the best model: beyond it, a line may leave the picture
YARDSTICK = "seasonal naive"  # all other models are measured against it
BASELINES = {"naive": ":", YARDSTICK: "--"}  # their dashes
BEST = 4  # models whose lines are told apart, beside the champion's and the yardstick's
BAND_80, BAND_95 = 0.30, 0.15  # opacity of the intervals

MOST_DOTS = 50_000  # errors that are drawn one by one; of more every second, third … is

DPI = 80


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that stands for it where it cannot be seen. Notebooks show it as PNG."""

    figure: Figure
    alt: str

    def png(self) -> bytes:
        """Return the picture as PNG, the same bytes for the same data."""
        stream = BytesIO()
        self.figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
        return stream.getvalue()

    def save(self, path: Path) -> Path:
        """Write the PNG to `path` and return it."""
        path.write_bytes(self.png())
        return path

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, object], dict[str, object]]:
        return {"image/png": self.png(), "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def canvas(
    title: str, rows: int = 1, columns: int = 1, width: float = 9, height: float = 3.4, layout: str = "constrained"
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a title and its axes, in reading order."""
    figure = Figure(figsize=(width, height), layout=layout)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="#E6E6E6", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.tick_params(labelsize=8)
    return figure, axes


def month_axis(ax: Axes, most: int = 8) -> None:
    """Label the x axis with at most so many months and the y axis with short numbers."""
    locator = AutoDateLocator(minticks=2, maxticks=most)
    locator.intervald[MONTHLY] = [1, 2, 3, 4, 6, 12]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    ax.yaxis.set_major_formatter(FuncFormatter(short_number))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def series_grid(train: pd.DataFrame, title: str = "Every series", columns: int = 4, limit: int = 40) -> Picture:
    """Draw each series in a small panel of its own; imputed months are marked.

    `train` is the training set (`unique_id, ds, y, is_imputed`). Beyond `limit` series the largest are drawn, and the
    title says so.
    """
    size = train["y"].abs().groupby(train["unique_id"]).sum()
    chosen = sorted(size.sort_values(ascending=False, kind="stable").index[:limit])
    if len(size) > limit:
        title += f": the {limit} largest of {len(size)}"
    columns = min(columns, max(len(chosen), 1))
    rows = max(ceil(len(chosen) / columns), 1)
    figure, axes = spaced(title, rows, columns)
    span = train["ds"].min(), train["ds"].max()
    drawn = train[train["unique_id"].isin(chosen)]
    for ax, name in zip(axes, chosen, strict=False):
        draw_series(ax, drawn[drawn["unique_id"] == name], name)
        if span[0] < span[1]:
            ax.set_xlim(*span)
    for ax in axes[len(chosen) :]:
        ax.set_visible(False)
    return Picture(
        figure, f"{title}: one line for each of {len(chosen)} series by month, {months_in_words(train['ds'])}."
    )


def spaced(title: str, rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    """Return a figure for many small panels: with room for their labels left beforehand, which is seconds quicker than measuring them."""
    width, height = 2.6 * columns + 0.6, 1.35 * rows + 0.5
    figure, axes = canvas(title, rows, columns, width, height, layout="none")
    figure.suptitle(title, fontsize=11, x=0.01, y=1 - 0.1 / height, ha="left")
    figure.subplots_adjust(left=0.45 / width, right=1 - 0.1 / width, bottom=0.25 / height, top=1 - 0.6 / height,
                           wspace=0.22, hspace=0.55)  # fmt: skip
    return figure, axes


def draw_series(ax: Axes, one: pd.DataFrame, name: str) -> None:
    """Draw one series with its imputed months as open circles."""
    ax.plot(one["ds"], one["y"], color=ACTUAL, linewidth=1)
    imputed = one[one["is_imputed"]]
    ax.plot(imputed["ds"], imputed["y"], "o", color=FORECAST, markersize=3, fillstyle="none")
    ax.set_title(name, fontsize=8, loc="left", y=1.0)  # a place of its own: else it is found by measuring every label
    month_axis(ax, most=4)
    ax.tick_params(labelsize=6)


def actual_vs_forecast(actuals: pd.DataFrame, forecast: pd.DataFrame, title: str, unit: str = "") -> Picture:
    """Draw the actuals of one series and a forecast with its 80 % and 95 % intervals.

    `actuals` is `ds, y`; `forecast` is `ds, predicted_value, lo_80, hi_80, lo_95, hi_95`, one row per month.
    """
    figure, (ax,) = canvas(title)
    actuals, forecast = actuals.sort_values("ds"), forecast.sort_values("ds")
    ax.plot(actuals["ds"], actuals["y"], color=ACTUAL, linewidth=1.4, label="actual")
    for low, high, opacity in (("lo_95", "hi_95", BAND_95), ("lo_80", "hi_80", BAND_80)):
        ax.fill_between(
            forecast["ds"],
            forecast[low],
            forecast[high],
            color=FORECAST,
            alpha=opacity,
            linewidth=0,
            label=f"{low[3:]} % interval",
        )
    ax.plot(forecast["ds"], forecast["predicted_value"], "--D", color=FORECAST, markersize=3.5, label="forecast")
    ax.set_ylabel(unit, fontsize=8)
    month_axis(ax)
    ax.legend(fontsize=8, frameon=False, loc="upper left", ncols=4)
    return Picture(
        figure, f"{title}: actuals of {months_in_words(actuals['ds'])}, forecast of {months_in_words(forecast['ds'])}."
    )


def coefficients(table: pd.DataFrame, title: str = "Coefficients of the model", limit: int = 25) -> Picture:
    """Draw the largest coefficients as bars, positive and negative in different colours.

    `table` is `feature, coefficient`, one row per feature.
    """
    order = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index[:limit]
    shown = table.loc[order].iloc[::-1]
    if len(table) > limit:
        title += f": the {limit} largest of {len(table)}"
    figure, (ax,) = canvas(title, height=0.22 * len(shown) + 0.9)
    ax.barh(
        shown["feature"].astype(str),
        shown["coefficient"],
        color=[BLUE if c >= 0 else VERMILION for c in shown["coefficient"]],
    )
    ax.axvline(0, color="#444444", linewidth=0.8)
    ax.margins(y=0.01)
    return Picture(figure, f"{title}: bars, the largest is {table.loc[order[0], 'feature'] if len(order) else 'none'}.")


def error_by_horizon(
    leaderboard: pd.DataFrame, title: str = "Error by horizon", measure: str = "mase", champion: str = ""
) -> Picture:
    """Draw a measure by months ahead, one line per model, the smallest error first in the legend and baselines in grey.

    Of many models the best few are drawn, the champion, which has the accent, and the seasonal naive; the title says how many are left
    out. A model with more than twice the error of the best may leave the picture, so that the lines of the others stay apart; the
    legend says so. `leaderboard` has one row per `model_name` (as people call it) and `horizon` and a column named after the measure.
    """
    mean = leaderboard.groupby("model_name")[measure].mean().sort_values(kind="stable")
    order = [name for i, name in enumerate(mean.index) if i < BEST or name in (champion, YARDSTICK)]
    title += left_out(len(mean) - len(order))
    figure, (ax,) = canvas(title, height=3.4)
    far = {name for name in order if mean[name] > FAR * mean.min()}
    near = leaderboard.loc[leaderboard["model_name"].isin(set(order) - far), measure]
    for name, style in line_styles(order, champion).items():
        rows = leaderboard[leaderboard["model_name"] == name].sort_values("horizon")
        label = f"{name} (champion)" if name == champion else name
        label += f" (up to {rows[measure].max():.1f})" if name in far else ""
        ax.plot(rows["horizon"], rows[measure], markersize=4, label=label, **style)
    ax.set_xlabel("months ahead", fontsize=8)
    ax.set_ylabel(measure.upper(), fontsize=8)
    if far and near.max() > near.min():
        margin = 0.08 * (near.max() - near.min())
        ax.set_ylim(near.min() - margin, near.max() + margin)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(figure, f"{title}: {measure.upper()} by months ahead, one line each for {', '.join(order)}.")


def left_out(n: int) -> str:
    """Say how many models are not drawn; nothing where all are."""
    return f"; {n} {'model' if n == 1 else 'models'} further behind left out" if n > 0 else ""


def line_styles(names: list[str], champion: str = "") -> dict[str, dict[str, str | float]]:
    """Return colour, dash, marker and width of each model's line; no two of up to 20 models look the same, in print either."""
    others = [name for name in names if name not in (*BASELINES, champion)]
    colours = [colour for colour in COLOURS if colour != FORECAST or not champion]
    styles = {
        name: {"color": BASELINE, "linestyle": dash, "marker": "x", "linewidth": 1.2}
        for name, dash in BASELINES.items()
    }
    for i, name in enumerate(others):
        turn, place = divmod(i, len(colours))
        styles[name] = {"color": colours[place], "linestyle": DASHES[(place + turn) % len(DASHES)],
                        "marker": MARKERS[(place + turn) % len(MARKERS)], "linewidth": 1.2}  # fmt: skip
    styles[champion] = {"color": FORECAST, "linestyle": "-", "marker": "o", "linewidth": 2.4}
    return {name: styles[name] for name in names}


def loss_curves(curve: pd.DataFrame, title: str = "Loss while training") -> Picture:
    """Draw the training and validation loss by step, one colour per network.

    `curve` is `seed, stage, step, training_loss, validation_loss`, the last NaN where none was measured.
    """
    figure, (ax,) = canvas(title)
    for i, (seed, rows) in enumerate(curve.groupby("seed")):
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(rows["step"], rows["training_loss"], ":", color=colour, linewidth=1.2)
        ax.plot(rows["step"], rows["validation_loss"], "-o", color=colour, markersize=3, label=f"network {seed}")
    ax.plot([], [], ":", color=GREY, label="training")
    ax.plot([], [], "-o", color=GREY, markersize=3, label="validation")
    ax.set_xlabel("steps", fontsize=8)
    ax.set_ylabel("pinball loss", fontsize=8)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(figure, f"{title}: {curve['seed'].nunique()} networks, training and validation loss by step.")


def residuals(errors: pd.DataFrame, title: str = "Residuals", unit: str = "") -> Picture:
    """Draw out-of-sample residuals by month and how often each size occurs.

    `errors` is `ds, error` with one row per series, cutoff and horizon; error = prediction − actual.
    """
    figure, (by_month, sizes) = canvas(title, 1, 2)
    dots = errors.iloc[:: max(1, len(errors) // MOST_DOTS)]
    by_month.plot(dots["ds"], dots["error"], "o", color=BLUE, alpha=0.4, markersize=3, markeredgewidth=0)
    by_month.axhline(0, color="#444444", linewidth=0.8)
    by_month.set_ylabel(" ".join(filter(None, ["prediction − actual", f"({unit})" if unit else ""])), fontsize=8)
    month_axis(by_month)
    sizes.hist(errors["error"].dropna(), bins=30, color=SKY)
    sizes.axvline(0, color="#444444", linewidth=0.8)
    sizes.set_ylabel("how many", fontsize=8)
    sizes.xaxis.set_major_formatter(FuncFormatter(short_number))
    return Picture(figure, f"{title}: {len(errors)} residuals by month, and their distribution around zero.")


def short_number(value: float, position: int | None = None) -> str:
    """Write a tick as 1.5M, 20k or 0.5 (matplotlib gives the tick's position, which does not matter)."""
    for scale, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:g}{suffix}".replace("-", "−")
    return f"{round(value, 9):g}".replace("-", "−")


def months_in_words(ds: pd.Series) -> str:
    """Return «2020-01 to 2023-12», or «no month»."""
    return f"{ds.min():%Y-%m} to {ds.max():%Y-%m}" if len(ds) else "no month"
