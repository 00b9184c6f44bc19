"""The accuracy page's part on months that were filled in: every figure against a loop, marked as made later, apart from the others."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger import Published, at
from forecasting.report import accuracy, backfilled, track_chart
from forecasting.report.track_record import LAGS, by_lag, load_record
from report_fixtures import SUPERSEDED, Company, build
from report_pages import REPORTS, executed
from test_report_accuracy import text_of

ACME = Company(
    regions=("East", "West & Co"), categories=("Bikes", "Parts"), history=True, publications=4, restated=True, filled=6
)


@pytest.fixture(scope="module")
def acme(tmp_path_factory) -> Path:
    """A company with four months that were published, six before them filled in, one of these twice."""
    return build(tmp_path_factory.mktemp("acme") / "published.duckdb", ACME)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A company of which nothing was filled in."""
    return build(
        tmp_path_factory.mktemp("bare") / "published.duckdb", Company(regions=("East",), categories=("Bikes",))
    )


def rows_of(path: Path, domain: str) -> list[dict]:
    """The backfilled rows that count: those with an actual, of the run that was written last for its cutoff."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select * from actual_vs_forecast where domain = ? and forecast_kind = 'backfill'", [domain]
        ).df()
    return [
        row
        for row in found.to_dict("records")
        if row["actual"] == row["actual"] and not row["run_id"].endswith(SUPERSEDED)
    ]


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_figures_are_those_of_a_loop(acme, domain):
    rows = rows_of(acme, domain)
    for aggregation in ("total", "series"):
        found = {one.lag: one for one in by_lag(at(load_record(acme, domain, kind="backfill"), aggregation))}
        assert list(found) == list(LAGS)
        for lag, one in found.items():
            own = [row for row in rows if (row["aggregation"], row["horizon"]) == (aggregation, lag)]
            made = [row for row in own if row["is_champion"]]
            naive = {(row["unique_id"], row["cutoff"]): row for row in own if row["model_name"] == "seasonal_naive"}
            sizes = [abs(row["predicted_value"] - row["actual"]) for row in made]
            others = [abs(naive[row["unique_id"], row["cutoff"]]["predicted_value"] - row["actual"]) for row in made]
            assert (one.n, one.months) == (len(made), len({row["ds"] for row in made}))
            assert one.mae == pytest.approx(sum(sizes) / len(made))
            assert one.fva == pytest.approx((sum(others) - sum(sizes)) / len(made))


@pytest.mark.parametrize("domain", DOMAINS)
def test_kinds_are_read_apart(acme, domain):
    published, filled = (load_record(acme, domain, kind=kind) for kind in ("published", "backfill"))
    assert set(published["kind"]) == {"published"} and set(filled["kind"]) == {"backfill"}
    assert filled["cutoff"].max() < published["cutoff"].min() and filled["cutoff"].nunique() == 6
    domain_read = Published(acme).domain(domain)
    assert not domain_read.past.duplicated(["aggregation", "unique_id", "ds"]).any()
    shown = domain_read.past[~domain_read.past["is_published"]]
    said = {(row["unique_id"], row["ds"], row["predicted_value"]) for row in rows_of(acme, domain)}
    assert not said & set(shown[["unique_id", "ds", "predicted_value"]].itertuples(index=False, name=None))


def test_what_was_published_later_for_the_same_month_counts_instead(acme, tmp_path):
    path = tmp_path / "published.duckdb"
    path.write_bytes(acme.read_bytes())
    cutoffs = sorted({row["cutoff"] for row in rows_of(acme, "sales")})
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into runs by name select * replace ('sales-late' as run_id, '{}' as manifest) from runs "
                           "where domain = 'sales' and cutoff = ? limit 1", [cutoffs[0]])  # fmt: skip
        connection.execute(
            "insert into publications by name select 'sales' as domain, 'sales-late' as run_id, now() as published_at"
        )
        counted = connection.execute("select cutoff from counted_backfills where domain = 'sales' order by cutoff").df()
        both = connection.execute(
            "select count(*) from counted_backfills semi join counted_forecasts using (domain, cutoff)"
        )
        assert both.fetchone() == (0,)
    assert list(pd.to_datetime(counted["cutoff"])) == [pd.Timestamp(cutoff) for cutoff in cutoffs[1:]]


def test_the_page_marks_what_was_made_later(acme):
    domains = Published(acme).domains(AGGREGATIONS)
    head = text_of(accuracy.header(domains))
    assert "made later from what was known then" in head and "Backfilled: sales , inventory , profit ." in head
    assert "Made later from what was known then" in text_of(backfilled.lead())
    parts = backfilled.parts(acme, domains)
    text = text_of("".join(part.data for part in parts if hasattr(part, "data")))
    record = at(load_record(acme, "sales", kind="backfill"), "total")
    assert "Backfilled on 2025-03-04 from 6 cutoffs, Feb 2023 to Jul 2023; not published." in text
    assert "the forecast backfilled as of 1 month before missed the total by" in text
    assert len(record) and "Backfilled as of" in text and "Published" not in text and "forecast published" not in text
    assert "FVA" in text and "Champion of then" in text
    ids = re.findall(r'id="([^"]+)"', "".join(part.data for part in parts if hasattr(part, "data")))
    assert {f"backfill-{domain}" for domain in DOMAINS} <= set(ids) and len(ids) == len(set(ids))


def test_the_chart_says_what_it_shows(acme):
    domain = Published(acme).domain("sales")
    charts = [track_chart.chart(domain, load_record(acme, "sales", kind=kind)) for kind in ("published", "backfill")]
    assert charts[0].div_id != charts[1].div_id
    names = [trace.name for trace in charts[1].figure.data if trace.name]
    assert any(name.startswith("Backfilled as of") for name in names) and not any("Published" in name for name in names)


def test_without_a_backfill_the_page_says_how(bare):
    domains = Published(bare).domains(AGGREGATIONS)
    assert "make backfill FROM=2023-01 TO=2023-12" in text_of(backfilled.parts(bare, domains)[0].data)
    assert "Backfilled" not in text_of(accuracy.header(domains))


def test_the_page_runs(acme, bare):
    for path in (acme, bare):
        page = executed(REPORTS / "accuracy.ipynb", published=str(path))
        assert any(cell.get("source") == "## Backfilled" for cell in page.cells)
