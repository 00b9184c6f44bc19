"""What the document shows of requests and answers; all of it fits together, and the requests are answered as they stand."""

from typing import Any

from forecasting.api.brought import Names

RUN = "sales-2025-06-01-4e3c68bc46"


def series(names: Names) -> dict[str, Any]:
    """Return a history of three years, by the names of an address."""
    return {
        names.month: [f"{2022 + (6 + month) // 12}-{(6 + month) % 12 + 1:02d}" for month in range(36)],
        "history": [round(1000.0 + 8.5 * month + 120.0 * ((month % 12) - 5.5) / 5.5, 2) for month in range(36)],
        "region": "North",
        names.category: "Bikes",
    }


def request(names: Names) -> dict[str, Any]:
    """Return a request for the forecast of one series."""
    return {"domain": "sales", **series(names), "horizon": 3, "intervals": [80, 95]}


def batch(names: Names) -> dict[str, Any]:
    """Return a request for the forecasts of several series."""
    return {"domain": "sales", "series": [series(names)], "horizon": 3}


def answer(names: Names) -> dict[str, Any]:
    """Return what answers `request`."""
    return {
        "domain": "sales", "region": "North", names.category: "Bikes",
        names.month: ["2025-07-01", "2025-08-01", "2025-09-01"], "values": [1212.4, 1236.1, 1260.7],
        "intervals": [
            {"level": 80, "lower": [1120.9, 1141.2, 1160.3], "upper": [1301.7, 1330.5, 1361.8]},
            {"level": 95, "lower": [1041.2, 1058.7, 1072.9], "upper": [1398.0, 1431.4, 1470.2]},
        ],
        "interval_n": [540, 540, 540], "was_cut": [False, False, False], "warnings": [], "is_fallback": False,
        "model_name": "linear", "model_version": "4", "run_id": RUN,
    }  # fmt: skip


FORECASTS = {
    "domain": "sales", "run_id": RUN, "unit": "EUR", "model_name": "linear", "model_version": "4",
    "published_at": "2025-07-03T06:12:45Z", "warnings": [],
    "forecasts": [
        {
            "aggregation": "series", "region": "North", "product_category": "Bikes", "cutoff": "2025-06-01", "horizon": 1,
            "ds": "2025-07-01", "predicted_value": 1212.4, "lo_80": 1120.9, "hi_80": 1301.7, "lo_95": 1041.2, "hi_95": 1398.0,
            "interval_pool": "series", "interval_n": 540, "is_fallback": False, "was_cut": False, "override_value": 1250.0,
            "override_lo_80": 1158.5, "override_hi_80": 1339.3, "override_lo_95": 1078.8, "override_hi_95": 1435.6,
            "final_value": 1250.0, "overridden_by": "Ana", "override_reason": "Spring campaign runs on",
        },
    ],
}  # fmt: skip
ACCURACY = {
    "domain": "sales", "run_id": RUN, "unit": "EUR",
    "accuracy": [
        {
            "aggregation": "series", "model_name": "linear", "is_champion": True, "forecast_kind": "walk_forward",
            "evaluation_set": "held_out", "horizon_group": "1-3", "n": 54, "n_series": 9, "of_series": 9, "n_cutoffs": 2,
            "first_cutoff": "2025-02-01", "last_cutoff": "2025-03-01", "mae": 61.3, "rmse": 82.9, "wape": 0.052, "bias": -4.1,
            "mase": 0.74, "coverage_80": 0.81, "coverage_95": 0.96, "fva": 21.5, "masc": 0.12,
        },
    ],
}  # fmt: skip
MODELS = {
    "models": [
        {
            "domain": "sales", "model_name": "linear", "model_version": "4", "run_id": RUN, "window_size": 36, "min_history": 13,
            "max_horizon": 6, "allow_negative": False, "reconciliation": "mint", "cutoff": "2025-06-01",
            "published_at": "2025-07-03T06:12:45Z", "unit": "EUR",
            "problem": "The saved model in data/sample/mlartifacts/1/models/m-5/artifacts is damaged (JSONDecodeError: …).",
        },
    ],
}  # fmt: skip
