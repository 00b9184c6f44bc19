"""How a region and a category are chosen: from two lists or, where there are very many, by typing a part of their names."""

import pandas as pd
from streamlit.delta_generator import DeltaGenerator

from forecasting.contracts import ALL
from forecasting.dashboard.selection import categories, regions
from forecasting.dashboard.source import Workspace
from forecasting.ledger import Domain
from forecasting.wording import number

MOST = 50  # names that are listed at a time


def region_and_category(
    workspace: Workspace, domain: Domain, left: DeltaGenerator, right: DeltaGenerator, key: str = ""
) -> tuple[str, str]:
    """Let a region and a category be chosen in two columns; `key` tells the fields of one page from those of another."""
    if not domain.in_sight:
        region = left.selectbox("Region", regions(domain), key=f"{key}region {domain.name}")
        return region, right.selectbox("Category", categories(domain, region), key=f"{key}category {domain.name}")
    names = workspace.names(domain.name)
    wanted = left.text_input(
        "Find a region, category or series", key=f"{key}find {domain.name}", placeholder="a part of its name"
    )
    found = matching(names, wanted)
    if found.empty:
        left.caption(f"None of {number(len(names))} has this name.")
        return ALL, ALL
    left.caption(f"{number(len(found))} found" + (f"; the first {MOST} are listed" if len(found) > MOST else ""))
    listed = {shown(*name): name for name in found.head(MOST).itertuples(index=False, name=None)}
    return listed[right.selectbox("Region and category", list(listed), key=f"{key}found {domain.name} {wanted}")]


def matching(names: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Return the rows of names (region, product_category) in which every word that is wanted occurs, in their order."""
    searched = (names["region"] + " " + names["product_category"]).str.lower()
    keep = pd.Series(True, names.index)
    for word in wanted.lower().replace("/", " ").split():
        keep &= searched.str.contains(word, regex=False)
    return names[keep]


def shown(region: str, category: str) -> str:
    """Write a region and category, no two alike: a region's sum is «North / All»."""
    return "Total" if region == category == ALL else f"{region} / {category}"
