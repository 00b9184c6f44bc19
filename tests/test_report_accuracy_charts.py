"""The charts of the accuracy page: values and titles against loops over the database, names that can be read, pictures for paper."""

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger import Published, at
from forecasting.report import accuracy, ahead_charts, labelled_lines, rival, track_paths
from forecasting.report.html import Chart
from forecasting.report.labelled_lines import Line
from forecasting.report.track_record import ALL_LAGS, by_lag, load_record
from forecasting.site.static_charts import picture
from report_fixtures import SUPERSEDED, Company, build, with_manifest
from test_report_accuracy import LONG, ask, text_of


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> Path:
    """A company with fourteen monthly publications."""
    return build(tmp_path_factory.mktemp("long") / "published.duckdb", LONG)


def tried(path: Path, domain: str, model: str, horizon: int | None = None) -> float:
    """The error of a model's back-test on the cutoffs held out in % of what came, by a loop."""
    rows = [
        row
        for row in ask(path, f"from actual_vs_forecast where domain = '{domain}' and forecast_kind = 'walk_forward'")
        if row["evaluation_set"] == "held_out" and row["aggregation"] == "series" and row["model_name"] == model
        and horizon in (None, row["horizon"])
    ]  # fmt: skip
    return sum(abs(row["predicted_value"] - row["actual"]) for row in rows) / sum(abs(row["actual"]) for row in rows)


def of(parts: list, name: str) -> tuple[str, Chart]:
    """The title and the chart whose name begins so."""
    i = next(i for i, part in enumerate(parts) if isinstance(part, Chart) and part.div_id.startswith(name))
    title = parts[i - 1] if isinstance(parts[i - 1], str) else parts[i - 1].data
    return text_of(title), parts[i]


def errors(path: Path, domain) -> list:
    return ahead_charts.error_chart(
        domain, Published(path).by_months_ahead(domain.name, ahead_charts.shown_models(domain))
    )


@pytest.mark.parametrize("name", DOMAINS)
def test_the_errors_by_months_ahead_are_the_databases(long, name):
    domain = Published(long).domain(name)
    title, chart = of(errors(long, domain), "ahead-")
    lines = {trace.name: trace for trace in chart.figure.data}
    assert set(lines) == {"linear", "repeating last year", "naive"}
    for label, model in (("linear", "linear"), ("repeating last year", "seasonal_naive"), ("naive", "naive")):
        expected = [tried(long, name, model, horizon) for horizon in range(1, 7)]
        assert list(lines[label].y) == pytest.approx(expected, abs=1e-4) and list(lines[label].x) == list(range(1, 7))
        assert f"{label}: 1 month {100 * expected[0]:.1f} %" in chart.label.replace("\N{NO-BREAK SPACE}", " ")
    mine, year, other = (f"{100 * tried(long, name, model):.1f} %" for model in ("linear", "seasonal_naive", "naive"))
    assert title == (
        f"Tried on past months: the model in use (linear) missed by {mine}, repeating last year by {year}, "
        f"the best other model (naive) by {other}"
    )


def test_the_errors_together_are_the_marts(long):
    for domain in (Published(long).domain(name) for name in DOMAINS):
        found = Published(long).by_months_ahead(domain.name, ["linear", "seasonal_naive", "naive"])
        for row in rival.held_out(domain).to_dict("records"):
            mine = found[found["model_name"] == row["model_name"]]
            assert ahead_charts.missed(mine) == pytest.approx(row["wape"]) and mine["n"].sum() == row["n"]


def test_models_are_compared_on_what_all_of_them_have(long, tmp_path):
    copy = tmp_path / "published.duckdb"
    copy.write_bytes(long.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from actual_vs_forecast where model_name = 'naive' and unique_id = 'East/Bikes'")
    found = Published(copy).by_months_ahead("sales", ["linear", "seasonal_naive", "naive"])
    assert set(found["n"]) == {3 * 2}  # of four series at two cutoffs
    sizes = found.groupby("horizon")["size"].nunique()
    assert (sizes == 1).all()


@pytest.mark.parametrize("name", DOMAINS)
def test_what_the_ranges_held_is_counted(long, name):
    domain = Published(long).domain(name)
    whole = load_record(long, name, ALL_LAGS)
    title, chart = of(
        ahead_charts.coverage_chart(domain, by_lag(at(whole, "series")), "published", "as published"), "coverage-"
    )
    rows = ask(
        long,
        f"""select horizon, lo_80, hi_80, lo_95, hi_95, actual from actual_vs_forecast where domain = '{name}' and aggregation = 'series'
            and forecast_kind = 'published' and status = 'published' and actual is not null and run_id not like '%{SUPERSEDED}'""",
    )
    shares = {}
    for level in (80, 95):
        held = defaultdict(list)
        for row in rows:
            held[row["horizon"]].append(row[f"lo_{level}"] <= row["actual"] <= row[f"hi_{level}"])
        (line,) = (trace for trace in chart.figure.data if trace.name == f"{level} % range")
        assert list(line.y) == pytest.approx([sum(held[h]) / len(held[h]) for h in ALL_LAGS], abs=1e-4)
        every = [inside for one in held.values() for inside in one]
        shares[level] = f"{100 * sum(every) / len(every):.0f} %"
    assert title == f"Of what came, {shares[80]} lay in the 80 % range and {shares[95]} in the 95 % range"
    dotted = {shape.y0 for shape in chart.figure.layout.shapes if shape.line.dash == "dot"}
    assert {0.8, 0.95} <= dotted


def test_a_range_that_is_too_narrow_is_told_from_chance(long):
    domain, whole = Published(long).domain("sales"), load_record(long, "sales", ALL_LAGS)
    series = at(whole, "series")
    missed = series.assign(**{bound: series["actual"] + 1.0 for bound in ("lo_80", "hi_80", "lo_95", "hi_95")})
    for rows, expected in (
        (missed, "By more than chance, the 80 % range is too narrow 1, 2, 3, 4, 5 and 6 months ahead"),
        (series[series["ds"] == series["ds"].max()], "So few months cannot tell a difference from chance"),
    ):
        caption = of(ahead_charts.coverage_chart(domain, by_lag(rows), "published", "x"), "coverage-")[1].caption
        assert expected in text_of(caption)


def test_every_forecast_has_its_path(long):
    domain, whole = Published(long).domain("sales"), load_record(long, "sales", ALL_LAGS)
    title, chart = of(track_paths.paths_chart(domain, whole), "paths-published")
    paths, came = chart.figure.data
    rows = ask(
        long,
        f"""select cutoff, horizon, ds, predicted_value, actual from actual_vs_forecast where domain = 'sales' and aggregation = 'total'
            and forecast_kind = 'published' and status = 'published' and actual is not null and run_id not like '%{SUPERSEDED}'
            order by cutoff, horizon""",
    )
    expected = defaultdict(list)
    for row in rows:
        expected[row["cutoff"]].append((f"{row['ds']:%Y-%m-%d}", round(row["predicted_value"])))
    drawn = [[]]
    for ds, value in zip(paths.x, paths.y, strict=True):
        assert (ds is None) == (value is None)
        drawn.append([]) if ds is None else drawn[-1].append((ds, value))
    assert drawn == list(expected.values()) and len(drawn) == 14
    known = dict(zip(came.x, came.y, strict=True))
    assert all(known[f"{row['ds']:%Y-%m-%d}"] == round(row["actual"]) for row in rows)
    wape = {}
    for lag in (6, 1):
        mine = [row for row in rows if row["horizon"] == lag]
        wape[lag] = sum(abs(row["predicted_value"] - row["actual"]) for row in mine) / sum(
            row["actual"] for row in mine
        )
    assert title == (
        f"The total of sales: forecasts made 6 months before missed by {100 * wape[6]:.1f} %, "
        f"made 1 month before missed by {100 * wape[1]:.1f} %"
    )


def test_what_missed_by_the_same_is_said_in_one_go(long):
    rows = pd.DataFrame({"lag": [3, 1], "predicted_value": [110.0, 90.0], "actual": [100.0, 100.0]})
    text = track_paths.title(Published(long).domain("sales"), rows).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        text
        == "The total of sales: forecasts made 3 months before missed by 10.0 %, and so did those made 1 month before"
    )


def test_the_back_tests_paths_are_of_the_model_in_use_alone(long):
    rows = track_paths.tried(long, Published(long).domain("profit"))
    assert set(rows["model_name"]) == {"linear"} and set(rows["kind"]) == {"walk_forward"}
    assert set(rows["aggregation"]) == {"total"} and rows["cutoff"].nunique() == 6


def test_old_paths_are_left_out_and_said(long, monkeypatch):
    monkeypatch.setattr(track_paths, "MONTHS", 5)
    domain, whole = Published(long).domain("sales"), load_record(long, "sales", ALL_LAGS)
    _, chart = of(track_paths.paths_chart(domain, whole), "paths-")
    assert {ds for ds in chart.figure.data[0].x if ds} == {f"2024-{month:02d}-01" for month in range(8, 13)}
    assert "the last 5 months" in chart.caption


names = st.text("abcdefgh ", min_size=1, max_size=30).filter(str.strip)


@given(st.lists(st.tuples(names, st.floats(0, 1)), min_size=1, max_size=3))
def test_names_stand_in_the_order_of_their_lines_and_apart(found):
    lines = [Line(name.strip(), [1], [value]) for name, value in found]
    sizes = [line.label.count("<br>") + 1.0 for line in lines]
    heights = labelled_lines.spread([line.end for line in lines], sizes, [0.0, 1.0])
    order = sorted(range(len(lines)), key=lambda i: lines[i].end)
    for below, above in pairwise(order):
        room = (sizes[below] + sizes[above]) / 2 * labelled_lines.LINE
        assert heights[above] - heights[below] >= room - 1e-9
    assert all(len(part) <= labelled_lines.NAME for line in lines for part in line.label.split("<br>"))


def test_names_that_have_room_stand_at_their_lines():
    assert labelled_lines.spread([0.2, 0.8, 0.5], [1.0, 1.0, 1.0], [0.0, 1.0]) == [0.2, 0.8, 0.5]


COMPANIES = {
    "long": LONG,
    "one series, all zero": Company(domains=("sales",), regions=("All",), categories=("All",), zero=True, history=True),
    "losses": Company(domains=("profit",), loss=True, beats=False, history=True),
    "filled in": Company(domains=("sales",), history=True, filled=3, unit=""),
    "no back-test": Company(domains=("sales",), walk_forward=False, months=20),
}


@pytest.mark.parametrize("company", COMPANIES)
def test_every_chart_has_a_title_a_text_and_a_picture_for_paper(company, tmp_path):
    path = build(tmp_path / "published.duckdb", COMPANIES[company])
    domains = Published(path).domains(AGGREGATIONS)
    parts = [*accuracy.published_parts(path, domains), *accuracy.backtest_parts(path, domains)]
    charts = [(i, part) for i, part in enumerate(parts) if isinstance(part, Chart)]
    assert len({chart.div_id for _, chart in charts}) == len(charts)
    assert charts or company == "no back-test"
    for i, chart in charts:
        title = text_of(parts[i - 1].data)
        assert re.fullmatch(r"<h4>.*</h4>", parts[i - 1].data) and 20 < len(title) < 170
        assert len(chart.label) > 40 and not re.search(r"\b(nan|None|inf)\b", title + chart.label + chart.caption)
        assert picture(chart.figure.to_json()).startswith(b"<?xml")


def test_charts_come_first_and_tables_are_folded(long):
    domains = {"sales": Published(long).domain("sales")}
    for parts, kinds in (
        (accuracy.published_parts(long, domains), ["paths", "record", "coverage"]),
        (accuracy.backtest_parts(long, domains), ["ahead", "coverage", "paths"]),
    ):
        assert [part.div_id.split("-")[0] for part in parts if isinstance(part, Chart)] == kinds
        last = max(i for i, part in enumerate(parts) if isinstance(part, Chart))
        assert "<table" not in "".join(part.data for part in parts[:last] if not isinstance(part, Chart))
        after = "".join(part.data for part in parts[last + 1 :])
        assert after.count("<table") >= 5
        assert "<table" not in without_folds(after)


def without_folds(markup: str) -> str:
    """What is left of a page while everything is folded."""
    while (found := re.sub(r"<details[^>]*>(?:(?!<details).)*?</details>", "", markup, flags=re.DOTALL)) != markup:
        markup = found
    return markup


# --- why the first is not in use --------------------------------------------------------------------------------------------


def first_is(path: Path, model: str, **champion: object):
    """Sales, of whose tables this model is the first, by a champion noted like this."""
    domain = with_manifest(Published(path).domain("sales"), champion={"name": "linear", **champion})
    rows = domain.accuracy
    domain.accuracy.loc[rows["model_name"] == model, "mase"] = 0.001
    return domain


FAILED = [{"name": "improvement_pct", "measured": 0.4, "limit": 1.0, "passed": False},
          {"name": "bias_loss_pct", "measured": 0.1, "limit": 10.0, "passed": True}]  # fmt: skip


@pytest.mark.parametrize(
    ("champion", "said"),
    [
        (
            {"verdict": "first", "metric": "mase", "metric_choice": {"linear": 0.8, "naive": 0.95}, "rules": FAILED},
            "On the months that choose it was behind: MASE 0.950 against 0.800.",
        ),
        (
            {"verdict": "kept", "metric": "mase", "metric_choice": {"linear": 0.8, "naive": 0.79}, "challenger": "naive", "rules": FAILED},
            "it was ahead too (MASE 0.790 against 0.800), but not by enough: it did not pass the gate (improvement beyond luck, % of the "
            "incumbent&#x27;s error: +0.4, asked for at least 1.0)",
        ),
        (
            {"verdict": "kept", "metric": "wape", "metric_choice": {"linear": 0.8, "naive": 0.79}, "challenger": "median", "rules": FAILED},
            "(WAPE 0.790 against 0.800), but not by enough: less what luck gives the best of many, more spoke for median combination, and "
            "that did not pass the gate",
        ),
        (
            {"verdict": "promoted", "metric": "mase", "metric_choice": {"linear": 0.8, "naive": 0.79}, "challenger": "linear"},
            "less luck , most spoke for linear, which passed the gate",
        ),
        ({"verdict": "chosen_by_person", "chosen_on": "2024-02-05"}, "Linear was chosen by a person on 5 February 2024."),
        (
            {"verdict": "vetoed", "veto": {"model": "median", "mase_held_out": 1.1, "seasonal_naive_mase_held_out": 1.0}},
            "median combination was chosen by the months before, but is no better than repeating last year on these",
        ),
        ({"verdict": "first"}, "it was not compared, or the run did not note how naive did there"),
    ],
)  # fmt: skip
def test_why_the_first_in_the_table_is_not_in_use(long, champion, said):
    text = text_of(rival.why_not_first(first_is(long, "naive", **champion)))
    assert text.startswith("Why is naive, the first in the table of single series, not in use?") and said.replace(
        " ,", ","
    ) in text.replace(" ,", ",")


def test_the_answer_stands_before_the_table(long):
    found = accuracy.tables(first_is(long, "naive"))
    assert 0 <= found.index("Why is naive") < found.index("<table")


def test_where_the_model_in_use_is_first_that_is_said(long):
    domain = first_is(long, "linear")
    assert "The model in use, linear, is also the first" in text_of(rival.why_not_first(domain))
    total = domain.accuracy["aggregation"] == "total"
    domain.accuracy.loc[total & (domain.accuracy["model_name"] == "naive"), "mase"] = 0.0001
    assert "For the total alone naive is first" in text_of(rival.why_not_first(domain))


def test_the_best_other_model_is_neither_in_use_nor_the_yardstick(long):
    domain = first_is(long, "seasonal_naive")
    assert rival.first_of(domain, "series") == "seasonal_naive" and rival.best_other(domain) == "naive"
    domain.accuracy.drop(domain.accuracy.index[domain.accuracy["model_name"] == "naive"], inplace=True)
    assert rival.best_other(domain) is None and ahead_charts.shown_models(domain) == ["linear", "seasonal_naive"]
