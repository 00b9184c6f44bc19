"""The axes of a static chart: where they lie, what their values are (months, names or numbers) and how ticks are written."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

from forecasting.wording import MINUS

DATE = re.compile(r"\d{4}-\d{2}(-\d{2}.*)?")
PIXEL = 7.1 / 1000  # inches on paper, where a chart that is 1000 pixels wide on a screen fills the page
LEFT, RIGHT, TOP, BOTTOM = 0.52, 0.15, 0.27, 0.4  # inches around the drawing: for ticks and titles, and for the legend


@dataclass
class Subplot:
    """One pair of axes with its traces. `x` and `y` are their settings in the layout.

    `names` holds the categories of each side in order, where its values are names; `base` what bars are stacked on.
    """

    axes: Axes
    x: dict
    y: dict
    layout: dict
    traces: list[dict] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    base: dict[tuple[object, bool], float] = field(default_factory=dict)

    def kind(self, side: str) -> str:
        """Return what the values of a side are: date, category or linear."""
        given = getattr(self, side).get("type")
        if given and given != "-":
            return given
        first = next((v for trace in self.traces for v in trace.get(side) or [] if v is not None), 0)
        if isinstance(first, str):
            return "date" if DATE.fullmatch(first) else "category"
        return "linear"

    def values(self, side: str, values: list) -> np.ndarray:
        """Return the values of a trace on one side as numbers; unknown ones are nan."""
        kind = self.kind(side)
        if kind == "date":
            return date2num(pd.to_datetime(pd.Series(values)).to_numpy())
        if kind == "category":
            known = self.names.setdefault(side, [])
            known += [value for value in dict.fromkeys(values) if value not in known]
            return np.array([known.index(value) for value in values], dtype=float)
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    def place(self, side: str, item: dict) -> np.ndarray:
        """Return where a shape begins and ends on one side."""
        ends = [item.get(f"{side}0", 0), item.get(f"{side}1", 1)]
        reference = item.get(f"{side}ref") or ""
        return np.array(ends, dtype=float) if reference == "paper" or "domain" in reference else self.values(side, ends)

    def finish(self) -> None:
        """Set ranges, ticks, titles and the grid, when everything is drawn."""
        self.axes.margins(x=0.02)
        for side, settings in (("x", self.x), ("y", self.y)):
            self.ticks(side, settings)
            limits = settings.get("range")
            if limits and None not in limits:
                getattr(self.axes, f"set_{side}lim")(
                    self.values(side, limits) if self.kind(side) != "category" else limits
                )
            elif settings.get("autorange") == "reversed":
                getattr(self.axes, f"invert_{side}axis")()
            title = (settings.get("title") or {}).get("text") or (
                settings.get("ticksuffix") if at_the_end(settings) else ""
            )
            if title:
                getattr(self.axes, f"set_{side}label")(title.strip(), fontsize=7)
            if self.kind(side) == "linear" and settings.get("showgrid") is not False:
                self.axes.grid(axis=side, color="#e6e9ee", linewidth=0.6)
            if settings.get("visible") is False or settings.get("showticklabels") is False:
                getattr(self.axes, f"get_{side}axis")().set_ticklabels([])
        self.axes.set_axisbelow(True)
        if self.y.get("rangemode") == "tozero" and not self.y.get("range"):
            low, high = self.axes.get_ylim()
            self.axes.set_ylim(min(low, 0), max(high, 0))

    def ticks(self, side: str, settings: dict) -> None:
        """Write the ticks of one side as the page does."""
        axis, kind = getattr(self.axes, f"{side}axis"), self.kind(side)
        if settings.get("tickvals") is not None:
            shown = self.values(side, settings["tickvals"])
            axis.set_ticks(
                shown, [str(text).replace("<br>", "\n") for text in settings.get("ticktext") or settings["tickvals"]]
            )
        elif kind == "date":
            axis.set_major_locator(AutoDateLocator(minticks=2, maxticks=settings.get("nticks") or 8))
            axis.set_major_formatter(DateFormatter((settings.get("tickformat") or "%b\n%Y").replace("<br>", "\n")))
        elif kind == "category":
            known = self.names.get(side, [])
            axis.set_ticks(range(len(known)), [name.replace("<br>", "\n") for name in known])
        else:
            axis.set_major_locator(MaxNLocator(settings.get("nticks") or 6))
            axis.set_major_formatter(formatter(settings))


def at_the_end(settings: dict) -> bool:
    """Return whether only the last number of an axis has a suffix; on paper it is the axis' title."""
    return settings.get("showticksuffix") == "last"


def formatter(settings: dict) -> FuncFormatter:
    """Return how numbers on an axis are written, from plotly's (d3's) format: «,.0f», «.0%», «~s»; a true minus sign."""
    form, ending = settings.get("tickformat") or "", "" if at_the_end(settings) else settings.get("ticksuffix") or ""
    short = EngFormatter(sep="", places=None)

    def written(value: float, _: object) -> str:
        """Write one number."""
        if "s" in form or settings.get("exponentformat") == "B":
            text = short.format_data(value).replace("G", "B")
        elif form.endswith("%"):
            text = f"{value:{form}}"
        else:
            text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.{decimals(form)}f}"
        return text.replace("-", MINUS) + ending

    return FuncFormatter(written)


def decimals(form: str) -> int:
    """Return the decimals that a format of d3 asks for, one where it asks for none."""
    found = re.search(r"\.(\d)", form)
    return int(found[1]) if found else 1


def subplots(figure: Figure, layout: dict, traces: list[dict]) -> dict[tuple[str, str], Subplot]:
    """Return the pairs of axes that the visible traces use, by their names in plotly («x», «y2»)."""
    found: dict[tuple[str, str], Subplot] = {}
    for trace in traces:
        if trace.get("visible", True) is not True:
            continue
        key = (trace.get("xaxis", "x"), trace.get("yaxis", "y"))
        if key not in found:
            settings = [layout.get(f"{side}axis{name[1:]}", {}) for side, name in zip("xy", key, strict=True)]
            found[key] = Subplot(
                figure.add_axes(place(figure, *settings, layout.get("margin", {}).get("r", 0))), *settings, layout
            )
        found[key].traces.append(trace)
    return found


def place(figure: Figure, x: dict, y: dict, margin: float) -> tuple[float, float, float, float]:
    """Return where a pair of axes lies in the picture, in parts of it: left, bottom, width, height; `margin` in pixels at the right."""
    (x0, x1), (y0, y1) = x.get("domain", (0, 1)), y.get("domain", (0, 1))
    width, height = figure.get_size_inches()
    wide, tall = 1 - (LEFT + max(RIGHT, margin * PIXEL)) / width, 1 - (TOP + BOTTOM) / height
    return LEFT / width + x0 * wide, BOTTOM / height + y0 * tall, (x1 - x0) * wide, (y1 - y0) * tall
