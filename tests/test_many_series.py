"""A company with more series than a page can show: what is in sight, what is measured of all, and the files behind the search."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger import FEW, SHOWN, EverySeries, Published, at, one_per_name
from forecasting.report import (
    BANDS,
    domain_page,
    files,
    overview,
    track_exceptions,
    track_record,
    trend_traces,
    visible_range,
)
from forecasting.report.track_record import all_series
from forecasting.report.track_tables import together
from forecasting.site import exports, rendering, series_files, views, workbook
from forecasting.site.editions import Edition
from made_once import made_once
from made_published import build
from published_tables import query

N = 450  # of three shops, the last of which has fewer products: more series than are shown, and more categories; few regions


@pytest.fixture(scope="module")
def path() -> Path:
    return made_once("published file of 450 series", lambda new: build(new, N))


@pytest.fixture(scope="module")
def domain(path):
    return Published(path).domain("sales", whole=False)


@pytest.fixture(scope="module")
def whole(path):
    return Published(path).domain("sales")


def names(rows: pd.Series) -> list[str]:
    """The first names by size, the largest first; ties by name."""
    table = rows.rename("size").rename_axis("unique_id").reset_index()
    return table.sort_values(["size", "unique_id"], ascending=[False, True])["unique_id"].tolist()[:SHOWN]


@pytest.mark.parametrize("level", ["series", "category"])
def test_in_sight_are_the_largest_the_worst_and_those_that_change_most(domain, whole, level):
    sight = domain.in_sight[level]
    actuals, past, future = (at(rows, level) for rows in (whole.actuals, whole.past, whole.future))
    last = whole.last_month
    year = actuals[actuals["ds"] > last - pd.DateOffset(months=12)]
    assert sight.n == actuals["unique_id"].nunique() > FEW
    assert list(sight.largest) == names(year["y"].abs().groupby(year["unique_id"]).sum())
    missed = past[past["ds"] == last].set_index("unique_id")["variance"].abs()
    assert list(sight.worst) == names(missed)
    nxt = future["ds"].min()
    now = future[future["ds"] == nxt].set_index("unique_id")["predicted_value"]
    before = actuals[actuals["ds"] == nxt - pd.DateOffset(months=12)].set_index("unique_id")["y"]
    assert list(sight.changed) == names(now.sub(before, fill_value=0.0).abs())


def test_few_parts_are_all_shown_and_of_many_series_no_others_are_read(domain, whole):
    assert "region" not in domain.in_sight and "total" not in domain.in_sight
    for rows, every in ((domain.actuals, whole.actuals), (domain.future, whole.future), (domain.past, whole.past)):
        shown = every[(every["aggregation"] != "series") | every["unique_id"].isin(domain.in_sight["series"].names)]
        pd.testing.assert_frame_equal(rows, shown.reset_index(drop=True))
    assert domain.n_series == at(whole.actuals, "series")["unique_id"].nunique()


def test_what_is_measured_of_all_series_is_what_their_rows_say(path, domain, monkeypatch):
    monkeypatch.setattr(track_record, "SIGNAL_LIMIT", 1.9)
    monkeypatch.setattr(track_exceptions, "SIGNAL_LIMIT", 1.9)
    rows = at(Published(path).held_out("sales"), "series")
    expected, found = together(rows), all_series(str(path), domain, "held_out", None)
    assert len(found) == 6 and [each.n_series for each in found] == [each.n_series for each in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.n_leaning == theirs.n_leaning
        for name in ("lag", "n", "months", "first", "last", "coverage_80", "coverage_95", "signal"):
            assert getattr(mine.measures, name) == getattr(theirs.measures, name), name
        for name in ("bias", "bias_share", "mae", "wape", "mase", "masc", "change_share", "fva", "fva_share"):
            one, other = (getattr(each.measures, name) for each in (mine, theirs))
            assert (one is None and other is None) or one == pytest.approx(other, rel=1e-9), name
    assert 0 < found[0].n_leaning < found[0].n_series and found[0].measures.masc is not None


def test_a_page_shows_the_largest_and_says_where_the_others_are(domain):
    table = domain_page.by_part(domain, "series")
    assert table.count("<tr") == SHOWN + 2
    assert f"the {SHOWN} largest of {domain.n_series} series" in table and "forecasts.parquet" in table
    assert f"Total of all {domain.n_series}" in table
    first = domain.in_sight["series"].largest[0].split("/")
    assert table.index(f"{first[0]}</a><br><small>{first[1]}") < table.index("<tr class=")
    chart = domain_page.trend_chart(domain)
    limit = 1 + 3 + 2 * 3 * SHOWN  # the total, the regions, and what is in sight of series and categories
    assert 3 * SHOWN < len(chart.choices) <= limit and chart.series == "sales"
    assert "of 450 series" not in domain_page.by_part(domain, "region")


# --- the files behind the search --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(path, tmp_path_factory):
    """The written files: what each hands to the page, by name."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_files, "MOST", 100)
        patch.setattr(series_files, "LARGEST", 200_000)
        assert series_files.write(path, folder) == ["sales"]
    found = {}
    for file in (folder / "series").iterdir():
        name, content = re.fullmatch(r'seriesFile\("([^"]+)",(.*)\)\n', file.read_text(encoding="utf-8"), re.S).groups()
        assert name == file.stem and file.stat().st_size < 300_000
        found[name] = json.loads(content)
    return found


def found_in(written, region, category):
    """What a page draws of a name: found as its script does."""
    about = written["sales"]
    every = [
        (name, one)
        for n in range(about["names"])
        for name, categories in written[f"sales-names-{n}"]
        for one in categories
    ]
    assert len(every) == len(set(every)) == about["n"]
    place = every.index((region, category))
    return written[f"sales-{place // about['step']}"][place % about["step"]]


def test_every_name_but_the_total_is_in_the_files_with_its_values(written, whole):
    key = ["region", "product_category"]
    actuals, future, past = (one_per_name(rows) for rows in (whole.actuals, whole.future, whole.past))
    everything = set(actuals[key].itertuples(index=False, name=None)) - {("All", "All")}
    assert len(everything) == written["sales"]["n"]
    months = written["sales"]["months"]
    assert len(months) == len(trend_traces(("", "")))
    for region, category in sorted(everything)[::37]:
        traces, _, decimals, _ = found_in(written, region, category)

        def drawn(rows, column, region=region, category=category):
            mine = rows[(rows["region"] == region) & (rows["product_category"] == category)]
            return dict(zip(mine["ds"].dt.strftime("%Y-%m-%d"), mine[column], strict=True))

        def read(trace, traces=traces):
            return {day: value for day, value in zip(months[trace], traces[trace], strict=True) if value is not None}

        back_test = past[~past["is_published"].astype(bool)]
        expected = [
            *(drawn(back_test, name) for name in BANDS), *(drawn(future, name) for name in BANDS),
            drawn(actuals, "y"), drawn(back_test, "predicted_value"), drawn(future, "predicted_value"),
        ]  # fmt: skip
        for trace, values in enumerate(expected):
            assert read(trace) == pytest.approx(values, abs=0.51 * 10**-decimals)


def test_the_axis_is_that_of_the_pages_own_charts(path):
    published = Published(path)
    every = EverySeries.read(published, "sales", published.in_force()["sales"])
    decimals = series_files.decimals_of(every)
    ranges = series_files.visible_ranges(every, decimals)
    for i in range(0, len(every.names), 11):
        values = [[None if np.isnan(v) else v for v in trace.values[i]] for trace in series_files.traces(every)]
        assert ranges[i].tolist() == pytest.approx(visible_range(values, int(decimals[i]))[0], abs=0.011)


def test_a_company_with_few_series_has_no_such_files(path, tmp_path, monkeypatch):
    monkeypatch.setattr("forecasting.ledger.in_sight.FEW", N)
    assert series_files.write(path, tmp_path) == [] and not list(tmp_path.iterdir())
    assert Published(path).domain("sales", AGGREGATIONS, whole=False).in_sight == {}


def test_the_made_file_has_the_columns_of_a_published_one(path):
    columns = query(path, "select table_name, column_name from duckdb_columns()")
    forecasts = set(columns.loc[columns["table_name"] == "forecasts", "column_name"])
    assert {"run_id", "unique_id", "predicted_value", "lo_95", "is_fallback"} <= forecasts
    assert len(query(path, "select * from forecast_accuracy where aggregation = 'series'")) > 0


# --- the files beside the pages ---------------------------------------------------------------------------------------------


def test_long_tabs_go_without_series_which_are_in_parquet(path, tmp_path, monkeypatch, whole):
    for module in (files, views, workbook):
        monkeypatch.setattr(module, "MOST_ROWS", 5_000)
    workbook.write(path, tmp_path / "forecasts.xlsx", Edition.open(path, "Made"))
    book = load_workbook(tmp_path / "forecasts.xlsx")
    for tab, file in (("Sales actuals", "sales_actuals"), ("Sales actual vs forecast", "sales_compared")):
        sheet = book[tab]
        levels = {row[0].value for row in sheet.iter_rows(min_row=5)}
        assert levels == {"total", "region", "category"}
        assert f"series/{file}.parquet" in sheet["A2"].value
        assert any(f"series/{file}.parquet" in str(row[1].value) for row in book["Summary"].iter_rows())
    assert "series" in {
        row[0].value for row in book["Sales forecast"].iter_rows(min_row=5)
    }  # which are fewer than 5,000
    kept = pd.read_parquet(tmp_path / "series" / "sales_actuals.parquet")
    assert len(kept) == len(whole.actuals) and kept["y"].sum() == pytest.approx(whole.actuals["y"].sum())
    lately = pd.read_parquet(tmp_path / "series" / "sales_compared.parquet")
    assert (
        lately.groupby("aggregation").size().to_dict()
        == Published(path).lately("sales").groupby("aggregation").size().to_dict()
    )
    assert "series/" in overview.files_section({"sales": whole})


def test_what_no_sheet_can_hold_is_not_written_as_csv(path, tmp_path, monkeypatch, whole):
    assert "Left out" not in overview.files_section({"sales": whole})
    exports.write_csv(path, tmp_path / "all.csv")
    assert len(pd.read_csv(tmp_path / "all.csv")) == whole.n_forecasts
    monkeypatch.setattr(files, "EXCEL_ROWS", whole.n_forecasts)
    exports.write_csv(path, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()
    assert f"its {whole.n_forecasts:,} rows are more" in overview.files_section({"sales": whole})
    assert rendering.there({}, path) == {*files.FILES} - {"forecasts.csv"}
