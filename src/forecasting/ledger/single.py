"""One series or sum of very many, looked up in the published file."""

from dataclasses import replace

import pandas as pd

from forecasting.ledger.comparisons import PAST_OF, one_of
from forecasting.ledger.domain import Domain
from forecasting.ledger.made import Made, Noted

ACTUALS = f"""
    {one_of("monthly_actuals")}
    select aggregation, unique_id, region, product_category, ds, y, is_imputed from mine
    where domain = $domain and region = $region and product_category = $category order by aggregation, ds
"""
PAST = f"""
    {one_of("actual_vs_forecast")}, {PAST_OF.replace("actual_vs_forecast", "mine")}
    select aggregation, unique_id, region, product_category, ds, actual, predicted_value, lo_80, hi_80, lo_95, hi_95,
        variance, variance_pct, cutoff, horizon, is_published, is_fallback
    from past where region = $region and product_category = $category order by aggregation, ds
"""


PAIRS = """
    select distinct region, product_category from monthly_actuals where domain = $domain
    order by region <> 'All', region, product_category <> 'All', product_category
"""


class Single(Made):
    """Reads one series or sum."""

    def pairs(self, domain: str) -> pd.DataFrame:
        """Return every region and category that are known together, sums as 'All' first: region, product_category."""
        return self.ask(PAIRS, domain=domain)

    def only(self, domain: Domain, region: str, category: str) -> Domain:
        """Return a domain with the rows of one region and category alone: none where there is no such series or sum."""
        asked = {"domain": domain.name, "region": region, "category": category, "unique_id": f"{region}/{category}"}
        actuals = self.ask(ACTUALS, **asked)
        future = (
            self.forecasts(
                domain.manifest.run_id, region=region, category=category, noted=Noted(domain.manifest, domain.cut)
            )
            if len(actuals)
            else domain.future.iloc[:0]
        )
        return replace(domain, actuals=actuals, past=self.ask(PAST, **asked), future=future)
