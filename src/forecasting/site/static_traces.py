"""The traces of a static chart: lines with markers and filled ranges, bars, waterfalls."""

from collections.abc import Callable

import numpy as np
from matplotlib.colors import to_rgba

from forecasting import plots
from forecasting.site.static_axes import Subplot

DASHES = {"dot": ":", "dash": "--", "dashdot": "-.", "longdash": (0, (8, 4)), "solid": "-"}
SYMBOLS = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^", "triangle-down": "v", "x": "X", "cross": "P",
           "star": "*", "line-ns": "|"}  # fmt: skip
STEPS = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}
POINTS_PER_PIXEL = 0.62  # of lines and markers: points on paper for a pixel on the screen
WATERFALL = {"increasing": plots.GREEN, "decreasing": plots.VERMILION, "totals": plots.GREY}


def colour(value: object, default: str = plots.BLUE) -> object:
    """Return a colour of plotly for matplotlib: names and #hex as they are, rgb() and rgba() as numbers from 0 to 1."""
    text = str(value or default).strip()
    if not text.startswith("rgb"):
        return to_rgba(text)
    parts = [float(part) for part in text[text.index("(") + 1 : -1].split(",")]
    return (*(part / 255 for part in parts[:3]), parts[3] if len(parts) == 4 else 1.0)


def colours(value: object, n: int, default: str = plots.BLUE) -> list[object]:
    """Return one colour for each of `n` bars or points."""
    given = value if isinstance(value, list) else [value] * n
    return [colour(one, default) for one in given]


def label(trace: dict) -> str | None:
    """Return what the legend says of a trace, None where it does not stand in it."""
    return trace.get("name") if trace.get("showlegend", True) and trace.get("name") else None


def own_colour(subplot: Subplot, trace: dict) -> str:
    """Return the colour of a trace that names none: by its place."""
    return plots.COLOURS[subplot.traces.index(trace) % len(plots.COLOURS)]


def scatter(subplot: Subplot, trace: dict) -> None:
    """Draw a line, markers, texts, and the range between it and the trace before."""
    x, y = subplot.values("x", trace.get("x") or []), subplot.values("y", trace.get("y") or [])
    if trace.get("fill") not in (None, "none"):
        fill(subplot, trace, x, y)
    mode, line = trace.get("mode", "lines"), trace.get("line") or {}
    default = own_colour(subplot, trace)
    style = {"color": colour(line.get("color") or (trace.get("marker") or {}).get("color"), default)}
    width = line.get("width", 2) if "lines" in mode else 0
    if len(x) and (width or "markers" in mode):
        drawn = {"linewidth": width * POINTS_PER_PIXEL, "linestyle": DASHES.get(line.get("dash", "solid"), "-") if width else "none",
                 "drawstyle": STEPS.get(line.get("shape"), "default"), "alpha": trace.get("opacity")}  # fmt: skip
        marks = markers(trace, style["color"]) if "markers" in mode else {}
        subplot.axes.plot(x, y, label=label(trace), **style, **drawn, **marks)
    if "text" in mode:
        for a, b, text in zip(x, y, trace.get("text") or [], strict=False):
            subplot.axes.annotate(str(text or ""), (a, b), ha="center", va="bottom", fontsize=6.5)


def markers(trace: dict, default: object) -> dict:
    """Return how a trace's points look; many sizes or colours are reduced to the first."""
    marker = trace.get("marker") or {}
    symbol, size, own = (first(marker.get(name)) for name in ("symbol", "size", "color"))
    open_one = str(symbol or "").endswith("-open")
    face = "none" if open_one else colour(own) if own else default
    return {"marker": SYMBOLS.get(str(symbol or "circle").removesuffix("-open"), "o"), "markersize": (size or 6) * POINTS_PER_PIXEL,
            "markerfacecolor": face, "markeredgecolor": colour(own) if own else default, "markeredgewidth": 0.8}  # fmt: skip


def first(value: object) -> object:
    """Return a value, or the first of several."""
    return (value[0] if value else None) if isinstance(value, list) else value


def fill(subplot: Subplot, trace: dict, x: np.ndarray, y: np.ndarray) -> None:
    """Fill the range down to zero, to the trace before, or within the line itself."""
    shade = {"color": colour(trace.get("fillcolor")), "linewidth": 0, "zorder": 1}
    if trace["fill"] == "toself":
        subplot.axes.fill(x, y, label=label(trace), **shade)
    elif trace["fill"] == "tonexty":
        before = subplot.traces[subplot.traces.index(trace) - 1]
        upper_x, upper = subplot.values("x", before.get("x") or []), subplot.values("y", before.get("y") or [])
        if len(x) and len(upper):
            subplot.axes.fill_between(x, y, np.interp(x, upper_x, upper), label=label(trace), **shade)
    else:
        subplot.axes.fill_between(x, y, 0, label=label(trace), **shade)


def bar(subplot: Subplot, trace: dict) -> None:
    """Draw bars, upright or lying, side by side or stacked as the layout says."""
    lying = trace.get("orientation") == "h"
    along, across = ("y", "x") if lying else ("x", "y")
    where, size = subplot.values(along, trace[along]), subplot.values(across, trace[across])
    group = [other for other in subplot.traces if other.get("type") == "bar"]
    stacked = subplot.layout.get("barmode") in ("stack", "relative")
    width = thickness(subplot, along, where) / (1 if stacked else len(group))
    where = where + (0 if stacked else (group.index(trace) - (len(group) - 1) / 2) * width)
    start = (
        np.array(trace["base"], dtype=float)
        if isinstance(trace.get("base"), list)
        else bases(subplot, where, size, stacked)
    )
    bars(subplot, lying, where, size, width, start, colours((trace.get("marker") or {}).get("color"), len(size),
         own_colour(subplot, trace)), label(trace))  # fmt: skip
    write_texts(subplot, lying, where, start + np.nan_to_num(size), trace.get("text"))


def bars(subplot: Subplot, lying: bool, where: np.ndarray, size: np.ndarray, width: float, start: np.ndarray, fills: list,
         name: str | None) -> None:  # fmt: skip
    """Draw bars of one trace from `start` on."""
    if lying:
        subplot.axes.barh(where, size, width, left=start, color=fills, label=name)
    else:
        subplot.axes.bar(where, size, width, bottom=start, color=fills, label=name)


def thickness(subplot: Subplot, along: str, where: np.ndarray) -> float:
    """Return how wide the room of a bar is: 0.8 of the distance between two."""
    steps = np.diff(np.unique(where))
    return 0.8 * (1.0 if subplot.kind(along) == "category" or not len(steps) else steps.min())


def bases(subplot: Subplot, where: np.ndarray, size: np.ndarray, stacked: bool) -> np.ndarray:
    """Return where stacked bars begin: on those before, positive and negative ones apart; others begin at zero."""
    found = np.zeros(len(size))
    for i, (place, value) in enumerate(zip(where, np.nan_to_num(size), strict=True)):
        key = (float(place), value >= 0)
        found[i] = subplot.base.get(key, 0.0) if stacked else 0.0
        subplot.base[key] = found[i] + value
    return found


def waterfall(subplot: Subplot, trace: dict) -> None:
    """Draw a waterfall: changes from a level to a level, and totals from zero."""
    where, change = subplot.values("x", trace["x"]), np.nan_to_num(subplot.values("y", trace["y"]))
    measures = trace.get("measure") or ["relative"] * len(change)
    level, start, size, kinds = 0.0, [], [], []
    for measure, value in zip(measures, change, strict=True):
        total = measure in ("total", "absolute")
        start.append(0.0 if total else level)
        level = (value if measure == "absolute" else level) if total else level + value
        size.append(level if total else value)
        kinds.append("totals" if total else "increasing" if value >= 0 else "decreasing")
    shades = [colour(((trace.get(kind) or {}).get("marker") or {}).get("color"), WATERFALL[kind]) for kind in kinds]
    bars(
        subplot,
        False,
        where,
        np.array(size),
        0.6 * thickness(subplot, "x", where) / 0.8,
        np.array(start),
        shades,
        label(trace),
    )
    ends = np.array(start) + np.array(size)
    for i in range(len(where) - 1):
        subplot.axes.plot([where[i] + 0.3, where[i + 1] - 0.3], [ends[i]] * 2, color=plots.GREY, linewidth=0.5)
    write_texts(subplot, False, where, np.maximum(ends, np.array(start)), trace.get("text"))


def write_texts(subplot: Subplot, lying: bool, where: np.ndarray, ends: np.ndarray, texts: list[str] | None) -> None:
    """Write the texts of bars at their ends."""
    for place, end, text in zip(where, ends, texts or [], strict=False):
        spot, offset = ((end, place), (3, 0)) if lying else ((place, end), (0, 2))
        align = {"ha": "left", "va": "center"} if lying else {"ha": "center", "va": "bottom"}
        subplot.axes.annotate(
            str(text or "").replace("<br>", "\n"), spot, offset, textcoords="offset points", fontsize=6.5, **align
        )


DRAW: dict[str, Callable[[Subplot, dict], None]] = {"scatter": scatter, "bar": bar, "waterfall": waterfall}
