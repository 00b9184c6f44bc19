"""The page on which somebody lays assumptions over the published forecast and sees what follows. Nothing is published."""

import streamlit as st

from forecasting.dashboard import figures, finding, supposing, tables
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError
from forecasting.planning import HONEST, outcome, source, what_if
from forecasting.wording import DASH

workspace = st.session_state["workspace"]
st.subheader("What if?", anchor=False)
if "sales" not in workspace.domains():
    st.info("This page moves the forecast of sales, and none has been published.")
    st.stop()
st.caption(f"{HONEST} It is about sales, and profit where that is known.")
region, category = finding.region_and_category(workspace, workspace.domain("sales"), *st.columns(2), "if ")
baseline = supposing.forecast_of(workspace, region, category)
assumed, margin = supposing.assumptions(baseline)
try:
    scenario = what_if(baseline, assumed, margin)
except UserError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

st.markdown(f"**{plain(outcome(baseline, scenario))}**")
st.plotly_chart(
    figures.scenario(baseline, scenario),
    config=figures.CONFIG,
    key="scenario",
    alt=figures.scenario_described(baseline),
)
st.dataframe(
    supposing.scenario_table(scenario), hide_index=True, placeholder=DASH,
    column_config={"Month": st.column_config.Column(pinned=True)},
)  # fmt: skip
name = tables.file_name("what-if", region, category)
st.download_button(
    "Download as CSV",
    tables.csv(supposing.download(baseline, scenario)),
    name,
    "text/csv",
    icon=":material/download:",
    on_click="ignore",
)
st.caption(plain(source(baseline)))
