"""Pictures: they show the values given, are the same bytes for the same data, and have a text."""

import struct

import numpy as np
import pandas as pd
import pytest

from forecasting import plots

PNG = b"\x89PNG\r\n\x1a\n"


def months(n: int) -> pd.DatetimeIndex:
    return pd.date_range("2020-01-01", periods=n, freq="MS")


def train(series: int = 3, n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frames = [
        pd.DataFrame({"unique_id": f"North/{i:02d}", "ds": months(n), "y": (i + 1) * rng.normal(100, 9, n)})
        for i in range(series)
    ]
    return pd.concat(frames, ignore_index=True).assign(is_imputed=lambda d: d["ds"] == d["ds"].max())


def forecast() -> pd.DataFrame:
    point = np.arange(100.0, 106.0)
    spread = {"lo_95": -20, "lo_80": -10, "predicted_value": 0, "hi_80": 10, "hi_95": 20}
    return pd.DataFrame({"ds": months(36)[30:], **{name: point + width for name, width in spread.items()}})


def leaderboard() -> pd.DataFrame:
    rows = [(model, h, 0.5 + 0.1 * h) for model in ("linear", "naive") for h in range(1, 7)]
    return pd.DataFrame(rows, columns=["model_name", "horizon", "mase"])


PICTURES = {
    "series_grid": lambda: plots.series_grid(train()),
    "actual_vs_forecast": lambda: plots.actual_vs_forecast(train(1)[["ds", "y"]], forecast(), "Sales", "EUR"),
    "coefficients": lambda: plots.coefficients(
        pd.DataFrame({"feature": ["lag_12", "month_3"], "coefficient": [0.8, -0.3]})
    ),
    "error_by_horizon": lambda: plots.error_by_horizon(leaderboard()),
    "residuals": lambda: plots.residuals(pd.DataFrame({"ds": months(30), "error": np.linspace(-9, 9, 30)}), unit="EUR"),
}


def test_every_model_has_a_line_of_its_own_and_the_best_comes_first():
    names = ["naive", *(f"model_{i:02d}" for i in range(18)), "seasonal naive", "mine"]
    styles = plots.line_styles(names, "mine")
    assert list(styles) == names and len({tuple(style.values()) for style in styles.values()}) == len(names)
    assert {name for name in names if styles[name]["color"] == plots.GREY} == {"naive", "seasonal naive"}
    assert [name for name in names if styles[name]["color"] == plots.FORECAST] == ["mine"]
    rows = [
        (model, horizon, error) for model, error in (("bad", 2.0), ("worse", 4.5), ("good", 1.5)) for horizon in (1, 2)
    ]
    picture = plots.error_by_horizon(pd.DataFrame(rows, columns=["model_name", "horizon", "mase"]))
    assert [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()] == [
        "good",
        "bad",
        "worse (up to 4.5)",
    ]


def test_of_many_models_the_best_the_champion_and_the_yardstick_are_told_apart():
    errors = {**{f"model {i}": 0.8 + i / 100 for i in range(8)}, "naive": 1.5, "seasonal naive": 1.1}
    rows = [(name, horizon, error) for name, error in errors.items() for horizon in (1, 2)]
    board = pd.DataFrame(rows, columns=["model_name", "horizon", "mase"])
    picture = plots.error_by_horizon(board, "Sales: error", champion="model 6")
    (ax,) = picture.figure.axes
    drawn = ["model 0", "model 1", "model 2", "model 3", "model 6 (champion)", "seasonal naive"]
    assert [line.get_label() for line in ax.lines] == drawn
    (mine,) = (line for line in ax.lines if line.get_label().endswith("(champion)"))
    assert mine.get_color() == plots.FORECAST and mine.get_linewidth() > max(
        line.get_linewidth() for line in ax.lines if line is not mine
    )
    said = "Sales: error; 4 models further behind left out"
    assert picture.figure._suptitle.get_text() == said and said in picture.alt
    few = plots.error_by_horizon(board[board["model_name"].isin(["model 0", "naive"])], "Sales: error")
    assert few.figure._suptitle.get_text() == "Sales: error" and len(few.figure.axes[0].lines) == 2


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_small_png_the_same_each_time_with_a_text(name):
    picture = PICTURES[name]()
    png = picture.png()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(PNG) and png == PICTURES[name]().png()
    assert len(png) < 120_000 and 200 < width < 1200 and 80 < height < 1200
    data, metadata = picture._repr_mimebundle_()
    assert data["image/png"] == png and data["text/plain"] == picture.alt == metadata["image/png"]["alt"]
    assert len(picture.alt) > 20 and "nan" not in picture.alt.lower()


def test_save_writes_the_picture(tmp_path):
    picture = PICTURES["residuals"]()
    assert picture.save(tmp_path / "a.png").read_bytes() == picture.png()


def test_series_grid_draws_every_value_and_marks_imputed_months():
    data = train()
    axes = plots.series_grid(data).figure.axes
    assert [ax.get_title(loc="left") for ax in axes] == ["North/00", "North/01", "North/02"]
    for ax, (_, rows) in zip(axes, data.groupby("unique_id"), strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), rows["y"])
        np.testing.assert_array_equal(ax.lines[1].get_ydata(), rows["y"].tail(1))


def test_series_grid_draws_the_largest_and_says_so():
    picture = plots.series_grid(train(series=6), limit=4)
    shown = [ax.get_title(loc="left") for ax in picture.figure.axes if ax.get_visible()]
    assert shown == ["North/02", "North/03", "North/04", "North/05"]
    assert "the 4 largest of 6" in picture.figure._suptitle.get_text()


def test_actual_vs_forecast_draws_points_in_order_of_their_months():
    shuffled = forecast().sample(frac=1, random_state=3)
    (ax,) = plots.actual_vs_forecast(train(1)[["ds", "y"]], shuffled, "Sales").figure.axes
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), forecast()["predicted_value"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "actual",
        "95 % interval",
        "80 % interval",
        "forecast",
    ]


def test_coefficients_are_the_largest_by_size_with_a_colour_for_each_sign():
    table = pd.DataFrame({"feature": list("abcd"), "coefficient": [0.1, -0.9, 0.5, 0.0]})
    (ax,) = plots.coefficients(table, limit=2).figure.axes
    assert [bar.get_width() for bar in ax.patches] == [0.5, -0.9]
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()


def test_error_by_horizon_has_a_line_for_each_model_that_differs_in_print():
    (ax,) = plots.error_by_horizon(leaderboard()).figure.axes
    assert [line.get_label() for line in ax.lines] == ["linear", "naive"]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), leaderboard()["mase"][:6])
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_ticks_are_short():
    ticks = [plots.short_number(v) for v in (0, 0.5, -250, 1500, -2e6, 3e9)]
    assert ticks == ["0", "0.5", "−250", "1.5k", "−2M", "3bn"]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_lines_stand_out_from_the_paper():
    for colour in (plots.ACTUAL, plots.FORECAST, plots.WALK_FORWARD):
        assert 1.05 / (luminance(colour) + 0.05) >= 3  # WCAG 2.1, graphics
    assert len(set(plots.COLOURS)) == len(plots.COLOURS)
