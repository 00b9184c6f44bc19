"""What the accuracy page's small charts share: lines with their names where they end, a key of the line's look before each name."""

from dataclasses import dataclass
from textwrap import wrap

import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import Domain
from forecasting.report.charts import frame

ROOM = 122  # pixels right of the drawing for the names, on a phone as on a wide screen
GAP, KEY = 6, 22  # pixels from the drawing to the key, and the key itself
NAME = 11  # signs of a name in a line
LINE = 0.085  # how much of the height a line of a name takes


@dataclass(frozen=True)
class Line:
    """A line of a chart: its points, None where there is none, and its look; `accent` is for what the page is about."""

    name: str
    x: list
    y: list[float | None]
    colour: str = plots.GREY
    dash: str = "solid"
    accent: bool = False
    markers: bool = True

    def trace(self) -> go.Scatter:
        """Return the line as a trace that no legend names."""
        return go.Scatter(
            name=self.name,
            x=self.x,
            y=self.y,
            mode="lines+markers" if self.markers else "lines",
            line={"color": self.colour, "dash": self.dash, "width": 2.6 if self.accent else 1.8},
            marker={"size": 6 if self.accent else 5},
            showlegend=False,
        )

    @property
    def end(self) -> float:
        """The last known value."""
        return next((value for value in reversed(self.y) if value is not None), 0.0)

    @property
    def label(self) -> str:
        """The name in short lines, the accent in bold."""
        text = "<br>".join(wrap(self.name[:1].upper() + self.name[1:], NAME))
        return f"<b>{text}</b>" if self.accent else text


def percent_axis(lines: list[Line]) -> dict:
    """Return a y axis of shares that begins at 0."""
    top = max((value for line in lines for value in line.y if value is not None), default=0.0)
    return {"tickformat": ".0%", "hoverformat": ".1%", "nticks": 5, "range": [0, 1.12 * top or 1.0]}


def names(lines: list[Line], span: list[float]) -> dict:
    """Return shapes and annotations that name each line right of the drawing, at the height of its end; `span`: the y axis."""
    heights = spread([line.end for line in lines], [line.label.count("<br>") + 1.0 for line in lines], span)
    keys = [
        {"type": "line", "xref": "paper", "xsizemode": "pixel", "xanchor": 1, "x0": GAP, "x1": GAP + KEY, "y0": y, "y1": y,
         "line": {"color": line.colour, "dash": line.dash, "width": 2.6 if line.accent else 1.8}}
        for line, y in zip(lines, heights, strict=True)
    ]  # fmt: skip
    texts = [
        {"xref": "paper", "x": 1, "xshift": 2 * GAP + KEY, "y": y, "text": line.label, "showarrow": False, "xanchor": "left",
         "yanchor": "middle", "align": "left", "font": {"size": 12}}
        for line, y in zip(lines, heights, strict=True)
    ]  # fmt: skip
    return {"shapes": keys, "annotations": texts}


def spread(values: list[float], sizes: list[float], span: list[float]) -> list[float]:
    """Return where names stand that would lie on each other at their values: in the same order, as near as their lines of text let them.

    `sizes` are the lines of text of each, `span` the ends of the axis.
    """
    unit = LINE * (span[1] - span[0])
    order = sorted(range(len(values)), key=lambda i: values[i])
    found = list(values)
    floor = span[0]
    for i in order:  # upwards, each above the one before
        found[i] = max(found[i], floor + sizes[i] * unit / 2)
        floor = found[i] + sizes[i] * unit / 2
    ceiling = span[1]
    for i in reversed(order):  # and back below the top
        found[i] = min(found[i], ceiling - sizes[i] * unit / 2)
        ceiling = found[i] - sizes[i] * unit / 2
    return found


def figure_by_months_ahead(domain: Domain, lines: list[Line], axis: dict, height: int) -> go.Figure:
    """Return the figure of lines over months ahead, with the names at their right ends."""
    first, last = min(line.x[0] for line in lines), max(line.x[-1] for line in lines)
    width = max(last - first, 1)
    months = list(range(first, last + 1))
    x = {"tickmode": "array", "tickvals": months, "ticktext": [str(ahead) for ahead in months], "showgrid": False, "zeroline": False,
         "range": [first - 0.04 * width, last + 0.02 * width], "title": {"text": "months ahead", "standoff": 6}}  # fmt: skip
    return go.Figure(
        [
            line.trace() for line in sorted(lines, key=lambda line: line.accent)
        ],  # what the page is about lies above the others
        {
            **frame(domain, 0),
            "height": height,
            "showlegend": False,
            "margin": {"l": 48, "r": ROOM, "t": 10, "b": 48},
            "xaxis": x,
            "yaxis": axis,
            **names(lines, axis["range"]),
        },
    )
