"""What to look at: every rule finds what it is for and nothing else, and what is about more money or more surprising comes first."""

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger import Domain, Published
from forecasting.report import champion, findings, overview
from forecasting.run import Manifest, Monitoring
from forecasting.wording import numbers
from forecasting.wording.numbers import SPACE
from report_fixtures import VARIANTS, Company, build


@pytest.fixture(scope="module")
def domains(tmp_path_factory) -> dict[str, Domain]:
    path = build(tmp_path_factory.mktemp("made") / "published.duckdb", VARIANTS["published history"])
    return Published(path).domains(AGGREGATIONS)


def plain(markup: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", markup)).replace(SPACE, " ")


def moved(domain: Domain, name: str, by: float) -> Domain:
    """The domain with the last actual of a part `by` above what it was, and its variance with it."""
    is_it = (domain.past["unique_id"] == name) & (domain.past["ds"] == domain.last_month)
    past = domain.past.copy()
    past.loc[is_it, ["actual", "variance"]] += by
    past.loc[is_it, "variance_pct"] = 100 * past["variance"] / past["predicted_value"].abs()
    return replace(domain, past=past)


def test_a_quiet_company_has_nothing_to_look_at(domains):
    inside = {
        name: replace(domain, past=domain.past.assign(lo_80=-1e12, hi_80=1e12)) for name, domain in domains.items()
    }
    assert findings.ranked(list(inside.values())) == []
    assert "Beside the warnings above, nothing stands out in these forecasts." in overview.exceptions(inside)
    quiet = {name: replace(domain, manifest=Manifest(run_id="quiet")) for name, domain in inside.items()}
    assert "Nothing stands out in these forecasts." in overview.exceptions(quiet)


def test_what_ended_outside_its_range_is_named_with_amount_side_and_range(domains):
    inside = replace(domains["sales"], past=domains["sales"].past.assign(lo_80=-1e7, hi_80=1e7))
    off = moved(inside, "North/Bikes", -2e7)
    found = findings.ranked([off])
    row = off.past[(off.past["unique_id"] == "North/Bikes") & (off.past["ds"] == off.last_month)].iloc[0]
    assert len(found) == 1 and found[0].surprise == pytest.approx(abs(row["variance"]) / 1e7)
    amounts = {name: numbers.compact(row[name], "EUR") for name in ("actual", "predicted_value")}
    said = (
        f"Sales, North/Bikes: December 2023 was {amounts['actual']}, {abs(row['variance']) / 1e6:.1f} M EUR "
        f"({abs(row['variance_pct']):,.0f} %) below the {amounts['predicted_value']} of its forecast, outside the 80 % range of "
        "−10.0 M to 10.0 M EUR."
    )
    assert plain(found[0].text) == said.replace(SPACE, " ")
    assert found[0].head == ""  # a single series is no headline


def test_of_a_back_test_that_missed_only_the_total_is_to_be_looked_at_and_said_as_what_it_is(domains):
    sales = domains["sales"]
    unpublished = replace(sales, past=sales.past.assign(is_published=False, lo_80=0.0, hi_80=0.0))
    [found] = findings.missed(unpublished)
    assert "that this model would have said" in found.text and "its forecast" not in found.text


@pytest.mark.parametrize(("before", "again"), [(5.0, ""), (-5.0, ", as a year before")])
def test_a_loss_is_a_finding_and_a_new_one_the_greater_surprise(domains, before, again):
    profit = domains["profit"]
    future, actuals = profit.future.copy(), profit.actuals.copy()
    total = future["aggregation"] == "total"
    ds = future.loc[total, "ds"].sort_values().iloc[2]
    future.loc[total & (future["ds"] == ds), "predicted_value"] = -30_000.0
    year_ago = (actuals["aggregation"] == "total") & (actuals["ds"] == ds - pd.DateOffset(years=1))
    actuals.loc[year_ago, "y"] = before
    found = findings.losses(replace(profit, future=future, actuals=actuals))
    assert len(found) == 1 and found[0].money == 30_000.0
    assert found[0].surprise == (findings.AGAIN if again else findings.SIGN)
    assert found[0].head == f"operating profit below zero in March{again}"
    assert "below zero in March 2024: −30.0 k EUR" in plain(found[0].text)


def test_the_weightiest_comes_first_across_domains(domains):
    inside = {name: replace(domain, past=domain.past.assign(lo_80=-1e7, hi_80=1e7)) for name, domain in domains.items()}
    sales, profit = (moved(inside[name], "All/All", 2e7) for name in ("sales", "profit"))
    first, second = findings.ranked([sales, profit])
    # The same amount is more of a profit, which is some fifty thousand a month, than of sales of a million.
    assert "Profit" in first.text and "Sales" in second.text


def test_where_repeating_last_year_missed_less_the_page_says_so_and_why(tmp_path):
    path = build(tmp_path / "published.duckdb", Company(domains=("sales",)))
    domain = Published(path).domains(AGGREGATIONS)["sales"]
    assert findings.beaten(domain) == []
    accuracy = domain.accuracy.copy()
    naive = accuracy["model_name"] == "seasonal_naive"
    accuracy.loc[naive, "wape"] = 0.0001
    [found] = findings.beaten(replace(domain, accuracy=accuracy))
    mine, naive, n = champion.misses(replace(domain, accuracy=accuracy))
    assert f"({100 * naive:.1f} % against {100 * mine:.1f} %, {n} forecasts each)" in plain(found.text)
    assert 'href="model_card.html#sales"' in found.text and "because it missed the single series by 27 % less" in plain(
        found.text
    )


@pytest.mark.parametrize(
    ("day", "amount", "is_found"), [(28, 50_000.0, True), (28, 900_000.0, False), (10, 50_000.0, False)]
)
def test_an_open_month_of_which_next_to_nothing_came_in_late_in_it_is_to_be_looked_at(domains, day, amount, is_found):
    sales = domains["sales"]
    calendar = sales.calendar | {"last_fact": pd.Timestamp(2024, 1, day)}
    found = findings.under_way(replace(sales, calendar=calendar, left_out=sales.left_out.assign(amount=amount)))
    assert bool(found) is is_found
    assert not found or found[0].head == "January so far only 50.0\N{NO-BREAK SPACE}k\N{NO-BREAK SPACE}EUR"
    assert not found or "January so far is 50.0 k EUR up to 28 January 2024, 4.0 % of its forecast" in plain(
        found[0].text
    )


def test_what_the_monitor_asks_of_people_is_to_be_looked_at(domains):
    for verdict, is_found in (("ok", False), ("watch", False), ("retrain", True), ("ask a person", True)):
        asked = Monitoring(verdict=verdict, reasons=[{"text": "The level moved by 12 % in 2023-12."}])
        found = findings.watched(replace(domains["sales"], monitor=asked))
        assert bool(found) is is_found
        assert not found or "The level moved by 12 % in December 2023." in plain(found[0].text)


def test_only_the_first_few_are_in_sight_and_what_has_no_facts_comes_last(domains):
    off = domains["sales"]
    off = replace(off, past=off.past.assign(lo_80=-1.0, hi_80=1.0))
    seen, folded = findings.look_at([off], ["There is no forecast of profit: no facts came in."])
    assert seen.count("<li>") == findings.SHOWN
    assert (
        folded.endswith("<li>There is no forecast of profit: no facts came in.</li></ul>") and folded.count("<li>") > 2
    )
