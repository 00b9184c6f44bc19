"""The page with actual and forecast: filters, key figures, the trend, the months in a table, and all of it as a file."""

import streamlit as st

from forecasting.dashboard import figures, finding, selection, tables
from forecasting.dashboard.wording import plain
from forecasting.wording import DASH, count, month

workspace = st.session_state["workspace"]
domain = workspace.domain(st.session_state["domain"])

left, middle, right = st.columns([1, 1, 2])
region, category = finding.region_and_category(workspace, domain, left, middle)
whole = selection.select(workspace.part(domain.name, region, category), region, category)
months, recent = selection.choice_of_months(whole)
key = f"months {domain.name} {months[0]} {months[-1]}"  # other months are another choice
first, last = right.select_slider("Months", months, recent, lambda ds: month(ds, short=True), key=key)
chosen = whole.between(first, last)

figures_shown = selection.key_figures(whole)
for column, figure in zip(st.columns(len(figures_shown)), figures_shown, strict=True):
    with column.container(border=True, height="stretch"):
        st.metric(figure.label, figure.value, figure.change or None, delta_color="off", delta_arrow="off")
        st.caption(plain(figure.more))

st.subheader(f"{domain.title}: {plain(chosen.name)}", anchor=False)
st.plotly_chart(figures.trend(chosen), config=figures.CONFIG, alt=figures.described(chosen), key="trend")
st.caption(figures.READING)
if tables.has_fallback(chosen):
    st.info("No model could forecast this series (it is too short, or has ended), so its forecast is a fallback.")
if cut := tables.cut_words(chosen):
    st.info(plain(cut))

first_column = {"Month": st.column_config.Column(pinned=True)}
st.dataframe(tables.months_table(chosen), hide_index=True, column_config=first_column, placeholder=DASH)
st.caption(
    f"Variance = actual − forecast, in % of the forecast's size; {DASH}: not known. Of several forecasts of a month, the last one is shown."
)
if len(chosen.restated):
    restated = count(len(chosen.restated), "month was", "months were")
    st.caption(f"{restated} restated later. Variance is measured with the actual as it was first known.")
name = tables.file_name(domain.name, region, category)
st.download_button(
    "Download as CSV", tables.download(chosen), name, "text/csv", icon=":material/download:", on_click="ignore"
)
