"""What each setting may be: the range of every number, and what else is allowed, in one place."""

import datetime as dt
import re
import reprlib
import shlex
from typing import Any, NamedTuple

from forecasting.contracts import AGGREGATIONS, DOMAINS, MAX_HORIZON
from forecasting.errors import UserError

GATE_METRICS = ("mase", "rmsse", "wape", "scaled_crps")  # measures that do not depend on the unit, where less is better
CHOICES = {"domains": DOMAINS, "sample_size": ("full", "small"), "gate_metric": GATE_METRICS, "duplicates": ("keep", "drop"),
           "stray_dates": ("drop", "keep"), "long_gaps": ("stop", "accept"), "publish_to": ("nowhere", "postgres"),
           "engine": ("local", "ray"), "cnn_lstm_variants": ("zero_shot", "fine_tuned", "from_scratch"),
           "retrain_on": ("schedule", "accuracy", "drift", "new_data")}  # fmt: skip
MAY_BE_EMPTY = ("publish_readers", "retrain_on")
SCHEMA_BYTES = 63  # PostgreSQL cuts longer names off without a word
LEVEL_NAME, COLUMN_NAME = re.compile(r"\w[\w -]{0,40}"), re.compile(r"[a-z][a-z0-9_]{0,40}")
TAKEN_LEVELS = ("sums", "intermittent")  # what pools of errors are called
FACT_COLUMNS = ("region", "product_category", "product", "quantity", "net_amount", "cost_amount", "order_date", "snapshot_date",
                "quantity_on_hand", "unit_cost", "inventory_value", "row_hash", "value_hash", "ds")  # fmt: skip
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # Python reads '2025-W26-1' and '20250630' too, which nobody else does

MEMORY = re.compile(r"(?P<size>\d+(\.\d+)?) ?(?P<unit>[MGT]i?B)", re.ASCII)
LEAST_MEMORY = 500e6  # bytes; with less DuckDB cannot even spill what it groups


class Range(NamedTuple):
    """The least and the most that a number may be; `above`: the least itself is too little."""

    least: float
    most: float
    above: bool = False

    def holds(self, value: float) -> bool:
        """Say whether a number lies in the range."""
        return (value > self.least if self.above else value >= self.least) and value <= self.most

    def words(self) -> str:
        """Return the range in words."""
        return f"above {self.least} and at most {self.most}" if self.above else f"from {self.least} to {self.most}"


# Of a list, each entry. The upper ends are far beyond what makes sense: they keep a slip of the keyboard from running for days.
RANGES = {
    "horizon": Range(1, MAX_HORIZON),
    "retrain_every": Range(1, 120),
    "n_cutoffs": Range(1, 120),
    "n_calibration": Range(0, 240),
    "min_train_months": Range(13, 600),
    "outlier_threshold": Range(0, 1_000_000, above=True),
    "linear_penalties": Range(0, 1_000_000_000_000, above=True),
    "boosting_trees": Range(1, 100_000),
    "boosting_learning_rate": Range(0, 1, above=True),
    "boosting_leaves": Range(2, 131_072),  # LightGBM's own limit
    "cnn_lstm_tuning_steps": Range(1, 100_000),
    "cnn_lstm_networks": Range(1, 100),
    "cnn_lstm_steps": Range(1, 1_000_000),
    "cnn_lstm_hidden": Range(1, 4_096),
    "cnn_lstm_seed": Range(0, 2_000_000_000),
    "combination_power": Range(0, 1_000),
    "gate_min_improvement_pct": Range(0, 100),
    "gate_max_bias_loss_pct": Range(0, 1_000),
    "gate_max_coverage_loss": Range(0, 100),
    "monitor_false_alarm_months": Range(1, 1_200),
    "engine_processes": Range(0, 4_096),
    "train_series": Range(100, 1_000_000_000),
    "train_series_seed": Range(0, 2_000_000_000),
    "gate_max_stability_loss": Range(0, 1_000),
}


def checked_ranges(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` after checking those that have a range of their own, lists and dates.

    Raises
    ------
    UserError
        If a value is not allowed. The message says which, and what is.
    """
    for key, value in values.items():
        if isinstance(value, list):
            check_list(key, value)
        wrong = [entry for entry in as_list(value) if key in RANGES and not RANGES[key].holds(entry)]
        if wrong:
            which = f"each entry of {key}" if isinstance(value, list) else key
            raise UserError(f"params: {which} must be {RANGES[key].words()}, found {reprlib.repr(wrong[0])}.")
        wrong = [entry for entry in as_list(value) if key in CHOICES and entry not in CHOICES[key]]
        if wrong:
            raise UserError(f"params: {key} may hold {', '.join(CHOICES[key])}; found {', '.join(map(str, wrong))}.")
    check_names(values)
    check_schema(values.get("publish_schema", "forecasting"))
    check_command("on_alert", values.get("on_alert"))
    check_engine(values.get("engine"), values.get("engine_address"))
    if values.get("as_of") is not None:
        check_day("params: as_of", values["as_of"])
    if values.get("memory_limit") is not None:
        check_memory(values["memory_limit"])
    return values


def as_list(value: Any) -> list[Any]:
    """Return the entries of a list, or the value alone."""
    return value if isinstance(value, list) else [value]


def check_list(key: str, value: list[Any]) -> None:
    """Raise a UserError if a list is empty or names something twice."""
    if not value and key not in MAY_BE_EMPTY:
        raise UserError(f"params: {key} is an empty list; give it at least one value.")
    seen: set[Any] = set()
    twice = [entry for entry in value if entry in seen or seen.add(entry)]
    if twice:
        raise UserError(f"params: {key} holds {str(twice[0])[:80]} more than once; each value may stand there once.")


def check_day(key: str, value: str) -> None:
    """Raise a UserError unless a text is a day of the calendar."""
    try:
        if not DAY.fullmatch(value):
            raise ValueError
        dt.date.fromisoformat(value)
    except ValueError:
        raise UserError(f"{key} must be a date like '2025-06-30', found {value[:80]!r}.") from None


def check_memory(value: str) -> None:
    """Raise a UserError unless a text is a size of memory as DuckDB reads it, and one that it can work with."""
    found = MEMORY.fullmatch(value)
    if not found:
        raise UserError(f"params: memory_limit must be a size like '4GB' or '4000MB', found {value[:80]!r}.")
    unit = found["unit"]
    if float(found["size"]) * (1024 if "i" in unit else 1000) ** (" MGT".index(unit[0]) + 1) < LEAST_MEMORY:
        raise UserError(f"params: memory_limit must be 500MB or more, found {value[:80]!r}.")


def check_names(values: dict[str, Any]) -> None:
    """Raise a UserError if `rename`, `countries`, `like` or `totals` say anything but what a name becomes or is like."""
    for column, mapping in values.get("rename", {}).items():
        example = "rename: {region: {north: North}}"
        if column not in ("region", "product_category") or not isinstance(mapping, dict):
            raise UserError(
                f"params: rename may speak of region and product_category, for example {example}; found {column!r}."
            )
        for old, new in mapping.items():
            if not isinstance(old, str) or not isinstance(new, str) or not new.strip() or new in ("All", old):
                raise UserError(
                    f"params: rename: {old!r} may become another text (in quotes) that is not 'All'; found {new!r}."
                )
    for region, country in values.get("countries", {}).items():
        if not isinstance(region, str) or not isinstance(country, str) or not country.strip():
            raise UserError(
                f"params: countries gives a region its country, for example {{North: Germany}}; found {region!r}: {country!r}."
            )
    for new, other in values.get("like", {}).items():
        if not isinstance(new, str) or not isinstance(other, str) or new == other:
            raise UserError(
                f"params: like names for a new series another, for example {{North/New bike: North/Road bike}}; found {new!r}: {other!r}."
            )
    for name, columns in values.get("levels", {}).items():
        check_level(name, columns)
    for name, what in values.get("totals", {}).items():
        if not isinstance(name, str) or what not in ("drop", "keep"):
            raise UserError(f"params: totals: {name!r} (a text) may be drop or keep; found {what!r}.")


def check_level(name: Any, columns: Any) -> None:
    """Raise a UserError unless `levels` gives a name that no aggregation has yet one or more columns of the facts."""
    example = "levels: {state: [state], state by department: [state, department]}"
    if not isinstance(name, str) or not LEVEL_NAME.fullmatch(name) or name.lower() in (*AGGREGATIONS, *TAKEN_LEVELS):
        raise UserError(
            f"params: levels: a level is called by letters, digits, blanks, - and _, and none of "
            f"{', '.join((*AGGREGATIONS, *TAKEN_LEVELS))}; found {reprlib.repr(name)}. For example {example}."
        )
    named = columns if isinstance(columns, list) and columns else [None]
    wrong = [one for one in named if not isinstance(one, str) or not COLUMN_NAME.fullmatch(one) or one in FACT_COLUMNS]
    if wrong or len({*named}) < len(named):
        raise UserError(
            f"params: levels: {name} names columns of the facts, each once, of small letters, digits and _, and none that has a meaning "
            f"already; found {reprlib.repr(columns)}. For example {example}; `columns:` says what your files call them."
        )


def check_schema(name: str) -> None:
    """Raise a UserError unless a text can be the name of a schema of ours in PostgreSQL."""
    reserved = name.startswith("pg_") or name == "information_schema"
    if not name.strip() or "\0" in name or reserved or len(name.encode()) > SCHEMA_BYTES:
        raise UserError(
            f"params: publish_schema must be the name of a schema in PostgreSQL, of 1 to {SCHEMA_BYTES} bytes and not the server's own; "
            f"found {reprlib.repr(name)}."
        )


def check_engine(engine: str | None, address: str | None) -> None:
    """Raise a UserError if a cluster is asked for and nobody says which."""
    if engine == "ray" and not address:
        raise UserError(
            "params: engine: ray wants engine_address, where the cluster answers, for example 10.0.0.5:6379 or ray://10.0.0.5:10001."
        )


def check_command(key: str, text: str | None) -> None:
    """Raise a UserError unless a text, where there is one, can be parted into a program and its arguments, as a shell would."""
    try:
        if text is None or shlex.split(text):
            return
        why = "it names no program"
    except ValueError as error:
        why = str(error)
    raise UserError(
        f"params: {key} must be a command like 'python notify.py', or empty (null); found {reprlib.repr(text)} ({why})."
    )
