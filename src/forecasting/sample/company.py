"""The sample company's plan: who sells what, where and when. `writing` draws its order lines.

An invented retailer of outdoor and home goods (EUR) in five regions and six categories. All dates are fixed; every
draw comes from the seed. Arrays are indexed [region, category, day] or [region, product, day]; the days run past the
last order, because the buyers plan ahead.
"""

from dataclasses import dataclass

import numpy as np

START = np.datetime64("2019-01-01")
END = np.datetime64("2025-07-16")  # in the middle of a month, on purpose: the last month is never whole in real facts
PLAN_DAYS = 120  # how far the plan runs past the last order
DAYS = np.arange(START, END + PLAN_DAYS + 1)
N_DAYS = int((END - START).astype(int)) + 1  # days with orders
YEAR = DAYS.astype("datetime64[Y]").astype(int) + 1970 - 2019  # 0 is 2019
MONTH = DAYS.astype("datetime64[M]").astype(int) - START.astype("datetime64[M]").astype(int)  # 0 is 2019-01
WEEKDAY = (DAYS.astype(int) + 3) % 7  # 0 is Monday
FULL_LINES, SMALL_LINES = 500_000, 20_000


@dataclass(frozen=True)
class Region:
    """Share of the company's demand, its growth a year, how late its seasons come (days), its fixed costs (share)."""

    name: str
    share: float
    growth: float
    late: float
    fixed_costs: float


@dataclass(frozen=True)
class Category:
    """Share of demand, growth a year, margin on the list price, share of lines returned, the 2020 break, its seasons.

    `shutdown` multiplies demand from mid March to the end of May 2020; `lasting` is the shift that follows it and
    halves every 18 months. `season` holds twelve factors, January first. `goods` are name: list price in EUR, 2019;
    the fifth of them sells rarely and in large lots.
    """

    name: str
    share: float
    growth: float
    margin: float
    returns: float
    shutdown: float
    lasting: float
    season: tuple[float, ...]
    goods: dict[str, float]


REGIONS = (
    Region("Central", 0.30, 0.020, 0, 0.25),
    Region("East", 0.16, 0.060, 2, 0.28),
    Region("North", 0.25, 0.025, 10, 0.25),
    Region("South", 0.21, 0.040, -10, 0.26),
    Region("West", 0.08, -0.010, 4, 0.31),  # small, with a building too large for it: it loses money in weak months
)

CATEGORIES = (
    Category(
        "Camping", 0.17, 0.010, 0.46, 0.06, 0.55, 0.16,
        (0.45, 0.50, 0.75, 1.05, 1.40, 1.75, 1.70, 1.30, 0.80, 0.65, 0.75, 0.90),
        {"Dome Tent": 189, "Sleeping Bag": 89, "Trekking Backpack": 129, "Camp Stove": 59, "Event Marquee": 1190,
         "Headlamp": 35, "Hiking Poles": 69, "Cool Box": 79, "Hammock": 49, "Folding Chair": 39},
    ),
    Category(
        "Cycling", 0.20, 0.020, 0.40, 0.05, 0.70, 0.25,
        (0.55, 0.65, 1.00, 1.30, 1.45, 1.40, 1.25, 1.10, 0.95, 0.80, 0.75, 0.80),
        {"City Bike": 549, "Helmet": 69, "Bike Lock": 45, "Pannier Bag": 79, "Cargo Bike": 2490,
         "Trekking Bike": 799, "Floor Pump": 39, "Light Set": 49, "Kids Bike": 259, "Bike Trailer": 299},
    ),
    Category(
        "Furniture", 0.21, 0.000, 0.47, 0.08, 0.45, 0.10,
        (1.05, 0.90, 0.95, 1.00, 1.00, 0.95, 0.85, 0.85, 1.00, 1.10, 1.20, 1.15),
        {"Bookcase": 149, "Desk": 249, "Dining Chair": 99, "Floor Lamp": 89, "Conference Table": 1490,
         "Sideboard": 379, "Bed Frame": 429, "Wardrobe": 599, "Coffee Table": 159, "Shelf Board": 29},
    ),
    Category(
        "Garden", 0.21, 0.005, 0.45, 0.05, 1.10, 0.12,
        (0.30, 0.45, 1.05, 1.80, 2.00, 1.60, 1.20, 0.95, 0.85, 0.70, 0.50, 0.45),
        {"Lawn Mower": 349, "Hedge Trimmer": 129, "Raised Bed": 99, "Garden Hose": 39, "Greenhouse": 1290,
         "Parasol": 119, "Planter": 25, "Wheelbarrow": 89, "Gas Grill": 399, "Lounge Set": 749},
    ),
    Category(
        "Tools", 0.13, 0.010, 0.42, 0.04, 1.05, 0.06,
        (0.90, 0.90, 1.05, 1.10, 1.10, 1.05, 0.95, 0.90, 1.00, 1.05, 1.05, 1.00),
        {"Cordless Drill": 139, "Hand Saw": 29, "Ladder": 119, "Tool Box": 49, "Log Splitter": 990,
         "Jigsaw": 99, "Screwdriver Set": 35, "Workbench": 229, "Sander": 79, "Pressure Washer": 259},
    ),
    Category(
        "Winter Sports", 0.08, -0.020, 0.43, 0.07, 0.40, -0.25,
        (1.90, 1.50, 0.80, 0.35, 0.25, 0.25, 0.30, 0.45, 0.80, 1.30, 1.90, 2.20),
        {"Touring Ski": 449, "Ski Boots": 289, "Snowshoes": 119, "Sledge": 59, "Snow Blower": 1390,
         "Ski Helmet": 99, "Ski Goggles": 69, "Ice Skates": 89, "Ski Jacket": 199, "Thermal Gloves": 39},
    ),
)  # fmt: skip
LINES_OF_GOODS = ("Classic", "Pro")  # a Pro costs 1.6 times as much and sells half as often
LARGE_LOT = 4  # the position of the good that sells rarely and in large lots

LATE_SERIES = ("East", "Cycling", np.datetime64("2021-04-01"))
ENDED_SERIES = ("South", "Winter Sports", np.datetime64("2023-03-31"))
LUMPY_SERIES = ("West", "Winter Sports")  # a few orders a year, from clubs
LUMPY_MONTHS = 0.36  # share of the months in which such an order comes

BREAK = (np.datetime64("2020-03-16"), np.datetime64("2020-05-31"))
ALL_GOODS = tuple(category.name for category in CATEGORIES)
SPRING_GOODS, CLEARED_GOODS = ("Garden", "Camping", "Cycling"), ("Winter Sports", "Furniture")
WEEKDAYS = np.array([1.00, 0.95, 1.00, 1.05, 1.25, 1.45, 0.12])
PRICE_RISE = np.array([0, 0.015, 0.025, 0.060, 0.060, 0.025, 0.020])  # on 1 January of 2019 … 2025
COST_RISE = np.array([0.015, 0.015, 0.050, 0.080, 0.030, 0.020, 0.020])  # in the course of 2019 … 2025


@dataclass(frozen=True)
class Company:
    """The goods and the plan. `plan` and `demand` are expected order lines a day, [region, product, day]."""

    products: np.ndarray  # names
    category: np.ndarray  # each product's category, as an index
    list_price: np.ndarray  # EUR in 2019
    mean_units: np.ndarray  # of an order line
    large_lot: np.ndarray  # bool
    discount: np.ndarray  # share of the list price, [category, day]
    plan: np.ndarray
    demand: np.ndarray  # the plan with the months' surprises


def build(seed: int, small: bool) -> Company:
    """Return the company of this seed; a small one has fewer products and a twenty-fifth of the order lines."""
    rng = np.random.default_rng([seed, 0])
    goods = [
        (f"{good} {line}", c, price * 1.6**v, position == LARGE_LOT)
        for c, category in enumerate(CATEGORIES)
        for position, (good, price) in enumerate(category.goods.items())
        for v, line in enumerate(LINES_OF_GOODS)
        if not small or (position <= LARGE_LOT and v == 0)
    ]
    names, of, price, large_lot = (np.array(column) for column in zip(*goods, strict=True))
    discount, lift = _promotions(rng)
    series = _series_plan(rng) * lift
    taste = rng.lognormal(0, 0.25, (len(REGIONS), len(names), 1))
    share = _product_shares(rng, names, of, large_lot) * taste
    plan, demand = series[:, of] * share, (series * _surprises(rng))[:, of] * share
    scale = (SMALL_LINES if small else FULL_LINES) * 0.945 / demand[:, :, :N_DAYS].sum()  # the rest are returns
    lot = 1 if small else 5  # among few lines one large lot would drown its whole category
    mean_units = np.minimum(1 + 700 / price, 30) * np.where(large_lot, lot, 1)
    return Company(names, of, price, mean_units, large_lot, discount, plan * scale, demand * scale)


def _series_plan(rng: np.random.Generator) -> np.ndarray:
    """Relative demand per [region, category, day]: shares, growth, seasons, weekdays, the break, openings and ends."""
    growth = [[region.growth + category.growth for category in CATEGORIES] for region in REGIONS]
    share = [[region.share * category.share for category in CATEGORIES] for region in REGIONS]
    plan = np.array(share)[..., None] * (1 + np.array(growth)[..., None]) ** (np.arange(len(DAYS)) / 365.25)
    plan *= _seasons(rng) * _weekdays() * np.array([_break(category) for category in CATEGORIES])
    late, ended = index_of(*LATE_SERIES[:2]), index_of(*ENDED_SERIES[:2])
    plan[late] *= np.clip((DAYS - LATE_SERIES[2]).astype(int) / 180 + 0.15, 0, 1) * (LATE_SERIES[2] <= DAYS)
    plan[ended] *= ENDED_SERIES[2] >= DAYS
    return plan


def index_of(region: str, category: str) -> tuple[int, int]:
    """Indices of a region and a category, by name."""
    return [r.name for r in REGIONS].index(region), [c.name for c in CATEGORIES].index(category)


def _seasons(rng: np.random.Generator) -> np.ndarray:
    """Seasonal factor [region, category, day], smooth over the year; no two years begin their seasons on one day."""
    day_of_year = (DAYS - DAYS.astype("datetime64[Y]")).astype(int)
    middles = np.arange(12) * 365.25 / 12 + 15.2
    early = rng.normal(0, 4, (len(CATEGORIES), YEAR.max() + 1))
    return np.array([
        [np.interp(day_of_year - r.late - early[c, YEAR], middles, category.season, period=365.25)
         for c, category in enumerate(CATEGORIES)]
        for r in REGIONS
    ])  # fmt: skip


def _weekdays() -> np.ndarray:
    """Factor per day for its weekday; next to nobody orders on the year's two great holidays."""
    day = DAYS.astype(str)
    holiday = np.isin([d[5:] for d in day], ["01-01", "12-25", "12-26"])
    return np.where(holiday, 0.1, WEEKDAYS[WEEKDAY])


def _break(category: Category) -> np.ndarray:
    """Factor per day of the spring of 2020: shops closed, then habits changed, in part for good."""
    since = (DAYS - BREAK[1]).astype(int)
    after = 1 + category.lasting * 0.5 ** (since / 548)
    return np.where(BREAK[0] > DAYS, 1.0, np.where(since <= 0, category.shutdown, after))


def _promotions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Discount and demand factor per [category, day]: clearance in January, spring offers, the black week."""
    discount = np.zeros((len(CATEGORIES), len(DAYS)))
    lift = np.ones_like(discount)
    for first, last, names, off, factor in promotions():
        days = (first <= DAYS) & (last >= DAYS)
        rows = np.isin([c.name for c in CATEGORIES], names)
        window = np.ix_(rows, days)
        discount[window], lift[window] = off, factor * rng.lognormal(0, 0.08)
    return discount, lift


def promotions() -> list[tuple[np.datetime64, np.datetime64, tuple[str, ...], float, float]]:
    """First day, last day, categories, discount and demand factor of every promotion, oldest first."""
    found = []
    for year in range(2019, 2026):
        november = np.datetime64(f"{year}-11-01")
        friday = november + (4 - (november.astype(int) + 3)) % 7  # its first Friday
        black = friday + (21 if friday > november else 28)  # the day after the fourth Thursday
        found += [
            (np.datetime64(f"{year}-01-07"), np.datetime64(f"{year}-01-27"), CLEARED_GOODS, 0.20, 1.6),
            (np.datetime64(f"{year}-04-10"), np.datetime64(f"{year}-04-25"), SPRING_GOODS, 0.10, 1.4),
            (black - 4, black + 3, ALL_GOODS, 0.18, 2.2),
        ]  # fmt: skip
    return found


def _surprises(rng: np.random.Generator) -> np.ndarray:
    """What nobody planned, per [region, category, day]: each month's luck, and the clubs' rare orders."""
    n = MONTH.max() + 1
    shape = (len(REGIONS), len(CATEGORIES))
    log = _persistent(rng, (1, shape[1], n), 0.05) + _persistent(rng, (shape[0], 1, n), 0.03)
    factor = np.exp(log + _persistent(rng, (*shape, n), 0.06))
    lumpy = rng.random(n) < LUMPY_MONTHS
    factor[index_of(*LUMPY_SERIES)] *= lumpy / LUMPY_MONTHS
    return factor[:, :, MONTH]


def _persistent(rng: np.random.Generator, shape: tuple[int, ...], sd: float, memory: float = 0.6) -> np.ndarray:
    """Autoregressive noise of the first order along the last axis, with this standard deviation."""
    noise = rng.normal(0, sd, shape)
    for t in range(1, shape[-1]):
        noise[..., t] = memory * noise[..., t - 1] + np.sqrt(1 - memory**2) * noise[..., t]
    return noise


def _product_shares(rng: np.random.Generator, names: np.ndarray, of: np.ndarray, large_lot: np.ndarray) -> np.ndarray:
    """Each product's share of its category's lines, [product, day]: they start, grow into their place and end."""
    n, last = len(names), len(DAYS)
    popularity = rng.lognormal(0, 0.5, n) * np.where(large_lot, 0.05, 1)
    popularity *= np.where(np.char.endswith(names, "Pro"), 0.5, 1)
    fate = rng.random(n)
    first_of_category = np.r_[True, of[1:] != of[:-1]]  # the best seller stays, so no category is ever without goods
    start = np.where((fate < 0.25) & ~first_of_category, rng.integers(120, 1900, n), -400)
    end = np.where((fate > 0.80) & ~first_of_category, rng.integers(700, 2300, n), last)
    day = np.arange(last)
    alive = (day >= start[:, None]) & (day < end[:, None])
    weight = popularity[:, None] * alive * np.clip((day - start[:, None]) / 180, 0.05, 1)
    total = np.array([weight[of == c].sum(axis=0) for c in range(len(CATEGORIES))])
    return weight / total[of]
