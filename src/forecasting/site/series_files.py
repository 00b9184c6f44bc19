"""The files behind a page's search where a domain has more series than a page can hold: their names, and what is drawn of each.

Pages open from a disk as well, where a script may not read files; but it may load other scripts. So each file is one, which hands its
content to `seriesFile` of reports/series.js: `<domain>.js` says what there is, `<domain>-names-<n>.js` holds the names in order, and
`<domain>-<n>.js` the values of some hundred series in the same order. None is loaded before somebody searches.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from forecasting.ledger import EverySeries, Published
from forecasting.report import BANDS, ROOM, SERIES

LARGEST = 900_000  # bytes of a file, about
MOST = 500  # series in a file


def write(published: Path, site: Path) -> list[str]:
    """Write the files of every domain with more series than its page shows; return the names of these domains."""
    reader, found = Published(published), []
    for name, run_id in reader.in_force().items():
        if "series" not in reader.in_sight(name, run_id):
            continue
        folder = site / SERIES
        folder.mkdir(parents=True, exist_ok=True)
        write_domain(folder, name, EverySeries.read(reader, name, run_id))
        found.append(name)
    return found


def write_domain(folder: Path, domain: str, every: EverySeries) -> None:
    """Write the files of one domain."""
    months = [trace.months.strftime("%Y-%m-%d").tolist() for trace in traces(every)]
    step = max(1, min(MOST, LARGEST // (8 * sum(map(len, months)) + 40)))
    names = list(name_blocks(every))
    about = {"names": len(names), "step": step, "n": len(every.names), "months": months}
    script(folder / f"{domain}.js", domain, about)
    for n, block in enumerate(names):
        script(folder / f"{domain}-names-{n}.js", f"{domain}-names-{n}", block)
    decimals = decimals_of(every)
    ranges, rounded = visible_ranges(every, decimals), [round_each(trace.values, decimals) for trace in traces(every)]
    for n, first in enumerate(range(0, len(every.names), step)):
        part = slice(first, first + step)
        values = zip(*(trace[part].tolist() for trace in rounded), strict=True)
        rows = zip(
            values,
            ranges[part].tolist(),
            decimals[part].tolist(),
            every.is_fallback[part].astype(int).tolist(),
            strict=True,
        )
        script(folder / f"{domain}-{n}.js", f"{domain}-{n}", list(rows))


def traces(every: EverySeries) -> list:
    """Return what is drawn of each node, in the order of the traces of the report's trend (`charts.trend_traces`)."""
    return [
        *(every.walk[column] for column in BANDS), *(every.made[column] for column in BANDS),
        every.actual, every.walk["predicted_value"], every.made["predicted_value"],
    ]  # fmt: skip


def name_blocks(every: EverySeries) -> Iterator[list]:
    """Return the names in blocks that make files of a size: a list of [region, its categories] each."""
    block: list = []
    size = 0
    for region, category in every.names.itertuples(index=False, name=None):
        if size > LARGEST:
            yield block
            block, size = [], 0
        if not block or block[-1][0] != region:
            block.append([region, []])
            size += len(region.encode()) + 8
        block[-1][1].append(category)
        size += len(category.encode()) + 3
    yield block


def decimals_of(every: EverySeries) -> np.ndarray:
    """Return how many decimals suit each node [n]: 0 from a hundred on, 1 from ten on, else 2."""
    largest = np.fmax.reduce(np.abs(every.actual.values), axis=1, initial=0.0)
    return np.where(largest >= 100, 0, np.where(largest >= 10, 1, 2))


def round_each(values: np.ndarray, decimals: np.ndarray) -> np.ndarray:
    """Return values [n, months] rounded to the decimals of each node [n]."""
    scale = 10.0 ** decimals[:, None]
    return np.round(values * scale) / scale


def visible_ranges(every: EverySeries, decimals: np.ndarray) -> np.ndarray:
    """Return the y axis of each node [n, 2]: what `charts.visible_range` says of one."""
    drawn = [trace.values for trace in traces(every)]
    rest, bounds = np.concatenate(drawn[len(BANDS) :], axis=1), np.concatenate(drawn[: len(BANDS)], axis=1)
    low, high = (extreme.reduce(rest, axis=1, initial=0.0) for extreme in (np.fmin, np.fmax))
    room = ROOM * (high - low)
    low, high = (
        np.maximum(np.fmin(np.fmin.reduce(bounds, axis=1, initial=0.0), low), low - room),
        np.minimum(np.fmax(np.fmax.reduce(bounds, axis=1, initial=0.0), high), high + room),
    )
    pad = np.where(high > low, 0.05 * (high - low), 1.0)
    shown = np.stack([np.where(low < 0, low - pad, low), np.where(high > 0, high + pad, high)], axis=1)
    shown = round_each(shown, decimals)
    is_flat = shown[:, 0] >= shown[:, 1]
    return np.where(is_flat[:, None], np.stack([low - pad, high + pad], axis=1), shown)


def script(path: Path, name: str, content: object) -> None:
    """Write a file that hands its content to the page; unknown values are null, whole numbers have no decimals."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    if isinstance(content, list) and content and isinstance(content[0], tuple):  # numbers alone
        text = text.replace("NaN", "null").replace(".0,", ",").replace(".0]", "]")
    path.write_text(f'seriesFile("{name}",{text})\n', encoding="utf-8")
