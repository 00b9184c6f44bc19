"""The page «Accuracy over time»: every figure against a loop over the database, published and back-test kept apart."""

import math
import re
from collections import defaultdict
from functools import cache, partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger import Published, at
from forecasting.report import accuracy, track_chart, track_exceptions, track_tables, walk_forward
from forecasting.report.track_record import (
    LAGS,
    Coverage,
    by_lag,
    load_record,
    measures,
    misses,
    signals,
)
from forecasting.wording.numbers import SPACE
from report_fixtures import SUPERSEDED, Company, build
from report_pages import REPORTS, executed
from shown import agrees, multiple

LONG = Company(
    regions=("East", "West & Co"), categories=("Bikes", "Parts"), months=60, history=True, publications=14,
    restated=True, republished=True,
)  # fmt: skip


def ask(path: Path, sql: str) -> list[dict]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).df().to_dict("records")


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("&nbsp;", " ").replace(SPACE, " ").split())


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> Path:
    """A company with fourteen monthly publications, one of them published twice, and a month that was restated."""
    return build(tmp_path_factory.mktemp("long") / "published.duckdb", LONG)


@pytest.fixture(scope="module")
def new(tmp_path_factory) -> Path:
    """A company whose first forecasts are those in force."""
    return build(tmp_path_factory.mktemp("new") / "published.duckdb", Company(regions=("East",), categories=("Bikes",)))


@cache
def counted(path: Path, domain: str) -> list[dict]:
    """The rows that count, found by loops: the last publication of each cutoff, of every horizon."""
    rows = ask(
        path,
        f"select * from actual_vs_forecast where domain = '{domain}' and forecast_kind = 'published' and actual is not null",
    )
    times = defaultdict(lambda: pd.Timestamp.min)
    for row in ask(path, "select * from publications"):
        times[row["run_id"]] = max(times[row["run_id"]], row["published_at"])
    best: dict = {}
    for row in rows:
        run = best.setdefault(row["cutoff"], row["run_id"])
        if times[row["run_id"]] > times[run]:
            best[row["cutoff"]] = row["run_id"]
    return [row for row in rows if best[row["cutoff"]] == row["run_id"]]


def pairs(path: Path, domain: str, aggregation: str, lag: int) -> list[tuple[dict, dict]]:
    """Each published row that counts with the seasonal naive stored beside it."""
    rows = [row for row in counted(path, domain) if row["aggregation"] == aggregation and row["horizon"] == lag]
    naive = {(row["run_id"], row["unique_id"]): row for row in rows if row["model_name"] == "seasonal_naive"}
    return [(row, naive[row["run_id"], row["unique_id"]]) for row in rows if row["status"] == "published"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_record_is_what_was_published_last_for_each_cutoff(long, domain):
    found = load_record(long, domain)
    expected = {
        (row["aggregation"], row["unique_id"], row["horizon"], row["ds"]): (
            row["predicted_value"],
            row["actual"],
            row["run_id"],
        )
        for row in counted(long, domain)
        if row["status"] == "published" and row["horizon"] in LAGS
    }
    rows = found.to_dict("records")
    assert len(rows) == len(expected) == 9 * (14 + 12 + 9)
    for row in rows:
        predicted, actual, run_id = expected[row["aggregation"], row["unique_id"], row["lag"], row["ds"]]
        assert (row["predicted_value"], row["actual"]) == (predicted, actual) and not run_id.endswith(SUPERSEDED)
        assert row["error"] == predicted - actual
        assert row["ds"] == row["cutoff"] + pd.DateOffset(months=row["lag"])


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("aggregation", ["total", "series"])
def test_every_measure_by_lag_is_that_of_a_loop(long, domain, aggregation):
    found = {one.lag: one for one in by_lag(at(load_record(long, domain), aggregation))}
    assert list(found) == list(LAGS)
    for lag, one in found.items():
        rows = pairs(long, domain, aggregation, lag)
        errors = [row["predicted_value"] - row["actual"] for row, _ in rows]
        sizes, actuals = [abs(e) for e in errors], [abs(row["actual"]) for row, _ in rows]
        naive = [abs(other["predicted_value"] - other["actual"]) for _, other in rows]
        n = len(rows)
        assert one.n == n and one.months == len({row["ds"] for row, _ in rows}) == 15 - lag
        assert one.bias == pytest.approx(sum(errors) / n)
        assert one.bias_share == pytest.approx(sum(errors) / sum(actuals))
        assert one.mae == pytest.approx(sum(sizes) / n)
        assert one.wape == pytest.approx(sum(sizes) / sum(actuals))
        assert one.mase == pytest.approx(sum(s / row["scale"] for s, (row, _) in zip(sizes, rows, strict=True)) / n)
        assert one.fva == pytest.approx((sum(naive) - sum(sizes)) / n)
        moves, scaled, before = moves_of(long, domain, aggregation, lag)
        if lag == 6:  # nothing is said so long before
            assert (one.masc, one.change_share, moves) == (None, None, [])
        else:
            assert one.masc == pytest.approx(sum(scaled) / len(scaled))
            assert one.change_share == pytest.approx(sum(moves) / sum(map(abs, before)))
        assert one.fva_share == pytest.approx((sum(naive) - sum(sizes)) / sum(naive))
        for level, covered in ((80, one.coverage_80), (95, one.coverage_95)):
            inside = sum(row[f"lo_{level}"] <= row["actual"] <= row[f"hi_{level}"] for row, _ in rows)
            assert (covered.inside, covered.n, covered.months) == (inside, n, 15 - lag)
        if aggregation == "total":
            assert one.signal == pytest.approx(sum(errors) / (sum(sizes) / n))
        else:
            assert one.signal is None


def moves_of(path: Path, domain: str, aggregation: str, lag: int) -> tuple[list[float], list[float], list[float]]:
    """By how much each published forecast moved since the month before, the same in scales, and what was said then."""
    said = {
        (row["unique_id"], row["cutoff"], row["horizon"]): row["predicted_value"]
        for row in counted(path, domain)
        if row["aggregation"] == aggregation and row["status"] == "published"
    }
    moves, scaled, before = [], [], []
    for row, _ in pairs(path, domain, aggregation, lag):
        earlier = said.get((row["unique_id"], row["cutoff"] - pd.DateOffset(months=1), lag + 1))
        if earlier is not None:
            moves.append(abs(row["predicted_value"] - earlier))
            scaled.append(moves[-1] / row["scale"])
            before.append(earlier)
    return moves, scaled, before


def test_all_lags_together_are_the_marts_figures(long):
    for domain in DOMAINS:
        record = load_record(long, domain, tuple(range(1, 7)))
        for row in ask(
            long,
            f"""select * from forecast_accuracy where domain = '{domain}' and forecast_kind = 'published'
                and horizon_group = 'all' and model_name = 'linear'""",
        ):
            one = measures(at(record, row["aggregation"]))
            assert one.n == row["n"]
            assert (one.bias, one.mae, one.wape, one.mase, one.masc, one.fva) == pytest.approx(
                tuple(row[name] for name in ("bias", "mae", "wape", "mase", "masc", "fva"))
            )
            assert one.coverage_80.share == pytest.approx(row["coverage_80"])


def test_a_signal_for_each_series_and_lag(long):
    found = signals(load_record(long, "profit")).set_index(["aggregation", "unique_id", "lag"])
    assert len(found) == 9 * 3
    for (aggregation, unique_id, lag), row in found.iterrows():
        errors = [
            mine["predicted_value"] - mine["actual"]
            for mine, _ in pairs(long, "profit", aggregation, lag)
            if mine["unique_id"] == unique_id
        ]
        assert row["signal"] == pytest.approx(sum(errors) / (sum(map(abs, errors)) / len(errors)))
        assert row["n"] == len(errors) and row["bias"] == pytest.approx(sum(errors) / len(errors))


@given(st.integers(1, 60), st.sampled_from([80, 95]), st.data())
def test_what_is_expected_of_an_interval_is_the_binomials_range(months, level, data):
    inside = data.draw(st.integers(0, months))
    p = level / 100
    chance = [math.comb(months, k) * p**k * (1 - p) ** (months - k) for k in range(months + 1)]
    below = np.cumsum(chance)
    low = next(k for k in range(months + 1) if below[k] >= 0.025 - 1e-12)
    high = next(k for k in range(months + 1) if below[k] >= 0.975 - 1e-12)
    found = Coverage(level, months, inside, months)
    assert (found.low, found.high) == (low, high) and sum(chance[low : high + 1]) >= 0.95 - 1e-9
    expected = "unknown" if low == 0 else "narrow" if inside < low else "wide" if inside > high else "fair"
    assert found.verdict == expected
    assert Coverage(level, 30 * months, 30 * inside, months).verdict == expected  # series share their month's surprise


def test_few_months_never_condemn_an_interval():
    assert Coverage(80, 2, 0, 2).verdict == Coverage(95, 1, 0, 1).verdict == "unknown"
    assert Coverage(80, 14, 4, 14).verdict == "narrow" and Coverage(80, 60, 60, 60).verdict == "wide"
    assert "so few months tell nothing" in track_tables.held(Coverage(80, 2, 0, 2))
    assert "it was too narrow" in track_tables.held(Coverage(80, 14, 4, 14))


def test_the_months_that_left_their_interval(long):
    record = load_record(long, "sales")
    expected = {}
    for lag in LAGS:
        for aggregation in AGGREGATIONS:
            for row, _ in pairs(long, "sales", aggregation, lag):
                for level in (95, 80):
                    low, high, actual = row[f"lo_{level}"], row[f"hi_{level}"], row["actual"]
                    if not low <= actual <= high:
                        beyond = actual - (low if actual < low else high)
                        expected[aggregation, row["unique_id"], lag, row["ds"]] = (level, low, high, beyond)
                        break
    found = misses(record)
    got = {
        (row["aggregation"], row["unique_id"], row["lag"], row["ds"]): tuple(
            row[c] for c in ("level", "low", "high", "beyond")
        )
        for row in found.to_dict("records")
    }
    assert got == expected and len(got) > 3
    assert found["ds"].is_monotonic_decreasing
    page = text_of(track_exceptions.miss_tables(Published(long).domain("sales"), record))
    page, *_ = page.split("Months in which a region or category")
    total, unit = found[found["aggregation"] == "total"], multiple(page)
    assert len(total)
    for row in total.to_dict("records"):
        side = "below" if row["beyond"] < 0 else "above"
        text = r"([\d.,]+) ([\d.,]+) ([\d.,]+) {} %, {} ([\d.,]+) ".format(row["level"], side)
        expected = [row["actual"], row["low"], row["high"], abs(row["beyond"])]
        assert any(
            all(agrees(shown, value / unit) for shown, value in zip(found, expected, strict=True))
            for found in re.findall(text, page)
        )


def test_a_restated_month_changes_no_old_figure_and_is_named(long, tmp_path):
    before = load_record(long, "sales")
    copy = tmp_path / "published.duckdb"
    copy.write_bytes(long.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update monthly_actuals set y = y * 3 where ds >= '2024-01-01'")
    pd.testing.assert_frame_equal(load_record(copy, "sales"), before)
    total = ask(
        long, "select y from monthly_actuals where domain = 'sales' and aggregation = 'total' and ds = '2024-10-01'"
    )
    mine = at(before, "total")
    assert (mine.loc[mine["ds"] == pd.Timestamp("2024-10-01"), "actual"] < total[0]["y"]).all()
    assert "restated for 1 month, the latest: Oct 2024" in text_of(
        accuracy.what_counts(Published(long).domain("sales"), before)
    )


def test_a_forecast_published_after_its_month_is_said(long):
    domain, record = Published(long).domain("sales"), load_record(long, "sales")
    assert "after their month" not in accuracy.what_counts(domain, record[record["lag"] > 1])
    late = record.assign(published_at=pd.Timestamp("2030-01-01"))
    assert "35 of the 35 forecasts (a month and a lag each) were published after their month had ended" in text_of(
        accuracy.what_counts(domain, late)
    )


def test_the_tables_hold_the_figures(long):
    for name in DOMAINS:
        domain, record = Published(long).domain(name), load_record(long, name)
        markup = track_tables.lag_table(domain, record, "total", "The total")
        rows, unit = [text_of(row) for row in markup.split("<tr>")[2:]], multiple(markup)
        for one, row in zip(by_lag(at(record, "total")), rows, strict=True):
            assert row.startswith(f"{one.lag} month{'s' if one.lag > 1 else ''} before")
            amount = r"([+−]?[\d.,]+)"
            shown = re.search(
                f" {one.n} {amount} [+−]?[\\d.]+ % {amount} {100 * one.wape:.1f} % {one.mase:.2f} .* {amount} [+−]?\\d+ %",
                row,
            )
            assert all(map(agrees, shown.groups(), (value / unit for value in (one.bias, one.mae, one.fva))))
            assert f"{one.signal:+.1f}".replace("-", "−") in row
            assert ("(warning)" in row) == (abs(one.signal) > 4)
            assert f"{100 * one.coverage_80.share:.0f} %" in row
        months = text_of(track_tables.months_table(domain, record))
        texts, unit = re.findall(r" ([−]?[\d,]+(?:\.\d+)?)(?= )", months), multiple(months)
        for row in at(record, "total").to_dict("records"):
            assert any(agrees(text, row["predicted_value"] / unit) for text in texts)


def test_the_text_says_how_the_total_fared(long):
    domain, record = Published(long).domain("sales"), load_record(long, "sales")
    one = by_lag(at(record, "total"))[0]
    text = text_of(track_tables.answer(domain, record))
    assert (
        f"Over 14 months, Nov 2023 to Dec 2024, the forecast published 1 month before missed the total by {100 * one.wape:.1f} %"
        in text
    )
    assert (
        f"{abs(100 * one.fva_share):.0f} % {'less' if one.fva > 0 else 'more'} than repeating the same month of last year"
        in text
    )
    assert f"{100 * abs(one.bias_share):.1f} % too {'high' if one.bias > 0 else 'low'}" in text
    assert (
        f"the forecast for the same month moved by {100 * one.change_share:.1f} % of its size, {one.masc:.2f} of a typical error"
        in text
    )
    low = record.assign(error=-record["actual"].abs(), predicted_value=record["actual"] - record["actual"].abs())
    warned = text_of(track_tables.answer(domain, low))
    assert "the tracking signal of −" in warned and "keeps being too low" in warned and "100.0 % too low" in warned


def test_forecasts_that_lean_to_one_side_are_listed(long):
    domain, record = Published(long).domain("sales"), load_record(long, "sales")
    calm = record.assign(predicted_value=record["actual"] + np.where(record["ds"].dt.month % 2, 1.0, -1.0))
    assert "No region, category or series has a tracking signal beyond ±4" in track_exceptions.leaning_table(
        domain, calm
    )
    assert track_tables.signal_text(4.0) == "+4.0" and "warning" in track_tables.signal_text(-4.1)
    one = (calm["unique_id"] == "West & Co/Parts") & (calm["lag"] == 3)
    leaning = calm.assign(predicted_value=calm["predicted_value"].where(~one, calm["actual"] + 50.0))
    text = text_of(track_exceptions.leaning_table(domain, leaning))
    assert (
        "1 forecast of parts" in text
        and "West &amp; Co/ Parts Series 3 months before 12 +50 " in text
        and "too high" in text
    )


def test_the_chart_holds_the_databases_values(long):
    domain, record = Published(long).domain("profit"), load_record(long, "profit")
    found = track_chart.chart(domain, record)
    names = [trace.name for trace in found.figure.data]
    assert len(found.choices) == 9 and [list(trace.y) for trace in found.figure.data] == found.choices[0][2]
    shown = [trace.visible for trace in found.figure.data if trace.name and trace.name.startswith("Published")]
    assert shown == [True, "legendonly", "legendonly"]
    for region, category, values, axis in found.choices:
        for lag in LAGS:
            unit = "month" if lag == 1 else "months"
            place = names.index(f"Published {lag}{SPACE}{unit}{SPACE}before")
            mine = ask(
                long,
                f"""select predicted_value, lo_80 from actual_vs_forecast where domain = 'profit' and forecast_kind = 'published'
                    and status = 'published' and actual is not null and horizon = {lag} and region = '{region}'
                    and product_category = '{category}' and run_id not like '%{SUPERSEDED}' order by ds""",
            )
            assert values[place] == pytest.approx([row["predicted_value"] for row in mine], abs=0.5)
            assert values[place - 1] == pytest.approx([row["lo_80"] for row in mine], abs=0.5)
        known = [value for trace in values for value in trace if value is not None]
        assert axis[0] < min(known) and axis[1] > max(known)


def test_many_series_leave_the_chart_to_their_sums(long, monkeypatch):
    monkeypatch.setattr(track_chart, "MANY", 3)
    found = track_chart.chart(Published(long).domain("sales"), load_record(long, "sales"))
    assert len(found.choices) == 5 and "Single series are in the tables" in found.caption


def test_nothing_published_yet_is_said_with_the_month_to_come(new):
    domains = Published(new).domains(AGGREGATIONS)
    parts = [part.data for part in accuracy.published_parts(new, domains)]
    assert len(parts) == 3
    for name, part in zip(DOMAINS, parts, strict=True):
        assert f'id="{name}"' in part and f'href="#backtest-{name}"' in part
        assert f"No published forecast of {name} has met its month yet" in part
        assert f"January{SPACE}2024" in part and "%" not in part  # not a figure of the back-test


def test_published_figures_and_the_back_test_do_not_mix(long, tmp_path):
    """Without the back-test the published part is the same to the letter, and the other way round."""
    copy = tmp_path / "published.duckdb"
    copy.write_bytes(long.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from actual_vs_forecast where forecast_kind = 'walk_forward'")
        connection.execute("delete from forecast_accuracy where forecast_kind = 'walk_forward'")
    both, alone = (accuracy.published_parts(path, only_sales(path)) for path in (long, copy))
    assert [shown(part) for part in both] == [shown(part) for part in alone]
    assert "There is no back-test" in back_test_of(copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(f"attach '{long}' as whole (read_only)")
        for table in ("actual_vs_forecast", "forecast_accuracy"):
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} select * from whole.{table} where forecast_kind = 'walk_forward'")
    found = back_test_of(long)
    assert back_test_of(copy) == found and "Held out" in found
    assert "has met its month yet" in accuracy.published_parts(copy, only_sales(copy))[0].data


def only_sales(path: Path) -> dict:
    return {"sales": Published(path).domain("sales")}


def back_test_of(path: Path) -> str:
    return "".join(map(shown, accuracy.backtest_parts(path, only_sales(path))))


def shown(part: object) -> str:
    return part.html() if hasattr(part, "html") else part.data


def test_the_back_test_by_months_ahead_region_and_category_is_the_databases(long):
    domain = Published(long).domain("sales")
    rows = Published(long).held_out(domain.name)
    page = text_of(walk_forward.details(domain, rows))
    for column, where in (("horizon", "aggregation = 'total'"), ("region", "aggregation = 'region'"),
                          ("product_category", "aggregation = 'category'")):  # fmt: skip
        for row in ask(
            long,
            f"""select mine.{column} as name, count(*) as n, avg(mine.predicted_value - mine.actual) as bias,
                    sum(abs(mine.variance)) / sum(abs(mine.actual)) as wape, avg(abs(mine.variance) / mine.scale) as mase,
                    avg(abs(mine.predicted_value - mine.previous_value) / mine.scale) as masc,
                    avg(cast(mine.actual between mine.lo_80 and mine.hi_80 as double)) as inside,
                    avg(abs(naive.variance) - abs(mine.variance)) as fva
                from (select * from actual_vs_forecast where {where}) as mine
                inner join actual_vs_forecast as naive using (domain, aggregation, unique_id, cutoff, horizon, forecast_kind)
                where domain = 'sales' and forecast_kind = 'walk_forward' and mine.evaluation_set = 'held_out'
                    and mine.model_name = 'linear' and naive.model_name = 'seasonal_naive' group by all""",
        ):
            name = f"{row['name']} month{'s' if row['name'] != 1 else ''}" if column == "horizon" else row["name"]
            bias, fva = (f"{row[key]:+,.0f}".replace("-", "−") for key in ("bias", "fva"))
            moved = "–" if pd.isna(row["masc"]) else f"{row['masc']:.2f}"
            assert f"{name.replace('&', '&amp;')} {100 * row['wape']:.1f} % {row['mase']:.2f} {moved} {bias} " in page
            assert f" {100 * row['inside']:.0f} % " in page and f" {fva} " in page
    assert "on the 2 cutoffs held out" in page


def test_one_region_has_no_table_of_regions(new):
    domain = Published(new).domain("sales")
    assert "one region only" in walk_forward.details(domain, Published(new).held_out(domain.name))


@pytest.mark.parametrize(
    "company",
    [
        Company(domains=("profit",), zero=True, history=True),
        Company(domains=("profit",), loss=True, beats=False, history=True, publications=8),
    ],
)
def test_zeros_and_losses_have_no_infinite_share(company, tmp_path):
    path = build(tmp_path / "published.duckdb", company)
    domains = Published(path).domains(AGGREGATIONS)
    markup = "".join(map(shown, [*accuracy.published_parts(path, domains), *accuracy.backtest_parts(path, domains)]))
    text = text_of(
        re.sub("<script.*?</script>", "", markup, flags=re.DOTALL)
    )  # the charts' values: a gap in a line is null there
    assert not re.search(r"\b(nan|inf|none|null)\b", text, re.I)
    record = load_record(path, "profit")
    one = by_lag(at(record, "total"))[0]
    if company.zero:
        assert one.wape is one.bias_share is one.signal is None and "met the total exactly" in text
    else:
        assert (record["actual"] < 0).any() and one.wape > 0 and one.bias_share * one.bias > 0


def test_the_page_executed_twice_has_the_same_outputs(long):
    first, second = (executed(REPORTS / "accuracy.ipynb", published=str(long)) for _ in range(2))
    assert [cell.get("outputs") for cell in first.cells] == [cell.get("outputs") for cell in second.cells]
    markup = "".join(out.data.get("text/html", "") for cell in first.cells for out in cell.get("outputs", []))
    assert all(f'id="{name}"' in markup and f'id="backtest-{name}"' in markup for name in DOMAINS)
    assert markup.count("<h1") == 1 and 'href="glossary.html#tracking-signal"' in markup
    titles = re.findall("<h3[^>]*>(.*?)</h3>", markup)
    assert titles == [f"{name.capitalize()}: {part}" for part in ("published", "back-test") for name in DOMAINS]


def test_a_file_of_the_version_before_is_read_alike(long, tmp_path):
    """It does not hold the table that says which forecasts count."""
    copy = tmp_path / "published.duckdb"
    copy.write_bytes(long.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("drop view counted_forecasts")
    for ask in (
        Published.past,
        Published.held_out,
        partial(Published.record, lags=LAGS),
        partial(Published.lately, months=12),
    ):
        found = ask(Published(copy), "sales")
        assert len(found)
        pd.testing.assert_frame_equal(found, ask(Published(long), "sales"))
