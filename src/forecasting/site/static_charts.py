"""Draws a page's plotly figure as a static picture (matplotlib to SVG), from the figure's own JSON.

Lines, markers, filled ranges, bars and waterfalls, on one or more pairs of axes: what the report's charts use. Anything else is
refused, so that a chart is never printed half.
"""

import base64
import json
from io import BytesIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forecasting.site.static_axes import PIXEL, Subplot, subplots
from forecasting.site.static_traces import DRAW

WIDTH = 7.1  # inches, as wide as A4 has room
LEGEND_ROW = 120
SCREEN = 1000.0  # pixels that the same chart is wide on a screen
HIGHER = 1.05  # than on a screen, to its width, since its letters are larger
HIGHEST = 380.0  # of those pixels, so that more fits a sheet
LOOK = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "font.family": "DejaVu Sans", "font.size": 7.5, "text.color": "#566273",
    "axes.edgecolor": "#d9dde3", "axes.labelcolor": "#566273", "xtick.color": "#566273", "ytick.color": "#566273",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 0, "text.parse_math": False,
}  # fmt: skip
DASHES = {"dot": ":", "dash": "--", "dashdot": "-.", "longdash": (0, (8, 4)), "solid": "-"}


def picture(source: str, part: float = 1.0) -> bytes:
    """Return a figure, given as plotly's JSON, as SVG of a `part` of the paper's width; the same figure gives the same bytes.

    Raises
    ------
    ValueError
        If it has a kind of trace that cannot be drawn.
    """
    found = decoded(json.loads(source))
    layout = found.get("layout", {})
    with mpl.rc_context(LOOK):
        height = min(HIGHER * layout.get("height", 420), HIGHEST) / SCREEN * WIDTH
        figure = Figure(figsize=(part * WIDTH, height))
        drawn = subplots(figure, layout, found["data"])
        for subplot in drawn.values():
            draw(subplot)
        add_shapes(layout, drawn)
        add_notes(layout, drawn)
        legend(figure, layout, [subplot.axes for subplot in drawn.values()])
        stream = BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return stream.getvalue()


def decoded(value: object) -> object:
    """Return JSON with plotly's packed arrays (`dtype` and `bdata` in base64) as lists."""
    if isinstance(value, dict):
        if "bdata" in value:
            flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
            return flat.tolist()
        return {name: decoded(item) for name, item in value.items()}
    return [decoded(item) for item in value] if isinstance(value, list) else value


def draw(subplot: Subplot) -> None:
    """Draw all traces of a pair of axes, in order."""
    for trace in subplot.traces:
        kind = trace.get("type", "scatter")
        if kind not in DRAW:
            raise ValueError(
                f"A chart with traces of the kind «{kind}» cannot be printed; known are {', '.join(DRAW)}."
            )
        DRAW[kind](subplot, trace)
    subplot.finish()


def add_shapes(layout: dict, drawn: dict[tuple[str, str], Subplot]) -> None:
    """Draw the lines and rectangles of the layout; one whose axis is «paper» spans it."""
    for shape in layout.get("shapes") or []:
        subplot = owner(shape, drawn)
        (x0, x1), (y0, y1) = (subplot.place(side, shape) for side in ("x", "y"))
        line = shape.get("line", {})
        look = {"color": line.get("color", "#7A7A7A"), "linewidth": 0.6 * line.get("width", 1), "zorder": 1.5,
                "linestyle": DASHES.get(line.get("dash", "solid"), "-")}  # fmt: skip
        if shape.get("xsizemode") == "pixel":
            x = [beside(subplot.axes, shape["xanchor"], shape[end]) for end in ("x0", "x1")]
            subplot.axes.plot(x, [y0, y1], transform=subplot.axes.get_yaxis_transform(), clip_on=False, **look)
        elif shape.get("type") == "rect":
            subplot.axes.axvspan(
                x0, x1, color=shape.get("fillcolor", "#d9dde3"), alpha=shape.get("opacity", 0.3), linewidth=0
            )
        elif spans(shape.get("yref")):
            subplot.axes.axvline(x0, **look)
        elif spans(shape.get("xref")):
            subplot.axes.axhline(y0, **look)
        else:
            subplot.axes.plot([x0, x1], [y0, y1], **look)


def spans(reference: str | None) -> bool:
    """Return whether a shape's coordinate is a part of the drawing and no value."""
    return bool(reference) and (reference == "paper" or reference.endswith("domain"))


def beside(axes: Axes, part: float, pixels: float) -> float:
    """Return a place so many pixels right of a part of the axes' width, as such a part."""
    return part + pixels * PIXEL / (axes.get_position().width * axes.get_figure().get_figwidth())


def owner(item: dict, drawn: dict[tuple[str, str], Subplot]) -> Subplot:
    """Return the pair of axes that a shape or a note belongs to, the first where it names none."""
    names = {str(item.get(side, "")).split(" ")[0] for side in ("xref", "yref")}
    return next((subplot for key, subplot in drawn.items() if names & set(key)), next(iter(drawn.values())))


def add_notes(layout: dict, drawn: dict[tuple[str, str], Subplot]) -> None:
    """Write the layout's texts."""
    for item in layout.get("annotations") or []:
        subplot = owner(item, drawn)
        free = [spans(item.get(f"{side}ref")) for side in ("x", "y")]
        where = {(True, True): subplot.axes.transAxes, (False, True): subplot.axes.get_xaxis_transform(),
                 (True, False): subplot.axes.get_yaxis_transform(), (False, False): subplot.axes.transData}  # fmt: skip
        x, y = (item[side] if free[i] else subplot.values(side, [item[side]])[0] for i, side in enumerate(("x", "y")))
        x = beside(subplot.axes, x, item["xshift"]) if free[0] and item.get("xshift") else x
        look = {
            "fontsize": 7,
            "ha": {"left": "left", "right": "right"}.get(item.get("xanchor"), "center"),
            "va": {"top": "top", "bottom": "bottom"}.get(item.get("yanchor"), "center"),
        }
        led = item.get("showarrow") and item.get("ayref") == "y"  # from a text that stands elsewhere in the drawing
        place = tuple(subplot.values(side, [item[f"a{side}"]])[0] for side in ("x", "y")) if led else (x, y)
        lead = {"arrowstyle": "-", "color": "#7A7A7A", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
        subplot.axes.annotate(
            plain(item.get("text", "")), (x, y), xycoords=where[tuple(free)], xytext=place, textcoords=where[tuple(free)],
            arrowprops=lead if led else None, annotation_clip=False, **look,
        )  # fmt: skip


def plain(text: str) -> str:
    """Return a text without the tags that plotly knows."""
    return text.replace("<br>", "\n").replace("<b>", "").replace("</b>", "")


def legend(figure: Figure, layout: dict, axes: list[Axes]) -> None:
    """Write the legend above the drawing, each name once."""
    known: dict[str, object] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        known |= {label: handle for label, handle in zip(labels, handles, strict=True) if label not in known}
    if layout.get("showlegend") is False or (len(known) < 2 and not layout.get("showlegend")):
        return
    row = sum(map(len, known)) + 7 * len(known) < LEGEND_ROW  # signs that fit a row, with the line before each name
    figure.legend(
        known.values(), known, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=len(known) if row else 3, frameon=False,
        borderaxespad=0.2, handlelength=2.4, columnspacing=1.4,
    )  # fmt: skip
