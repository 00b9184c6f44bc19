"""The page with the form: bring a series, get its forecast from the champion of a domain."""

import streamlit as st

from forecasting.contracts import MAX_HORIZON
from forecasting.dashboard import figures, tables
from forecasting.dashboard.answer import cut_bounds, cut_points, fallback_reason, interval_words, looks_at, who
from forecasting.dashboard.form import WAYS, answered
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError
from forecasting.wording import count, decimals_for, month

domain = st.session_state["domain"]
forecaster = st.session_state["workspace"].forecaster(domain)
st.subheader("Forecast a series of your own", anchor=False)
st.caption(f"By the champion of {domain}, the domain chosen above. What you bring is not kept and not published.")
horizon = st.slider("Months ahead", 1, MAX_HORIZON, MAX_HORIZON, key="horizon", width=420)
way = st.segmented_control("How to bring it", list(WAYS), key="way", default="Paste", required=True)
try:
    read = WAYS[way]()
    st.button("Forecast", icon=":material/trending_up:")
    if read is None:
        st.stop()
    brought = read()
    found = answered(forecaster, brought, horizon)
except UserError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

span = f"{month(brought.months[0])} to {month(brought.months[-1])}"
st.subheader(f"The next {count(horizon, 'month')}", anchor=False)
st.caption(" ".join([f"Your series: {count(len(brought.months), 'month')}, {span}.", *map(plain, brought.notes)]))
if reason := fallback_reason(found):
    st.warning(plain(reason), icon=":material/warning:")
if cut := cut_points(found):
    st.warning(plain(cut), icon=":material/warning:")
if forecaster.problem:
    st.warning(plain(f"A newer champion could not be loaded, so this is the one before it. {forecaster.problem}"))
st.plotly_chart(
    figures.own(brought.table, found.table), config=figures.CONFIG, key="own", alt=figures.own_described(span)
)
st.dataframe(tables.forecast_table(found.table, decimals_for(brought.table["y"])), hide_index=True)
st.download_button(
    "Download as CSV", tables.csv(found.download), f"forecast_{domain}.csv", "text/csv", icon=":material/download:",
    on_click="ignore",
)  # fmt: skip
st.caption(
    plain(
        " ".join(
            filter(
                None,
                [
                    who(found.served),
                    looks_at(found.served, len(brought.months)),
                    interval_words(found),
                    cut_bounds(found),
                ],
            )
        )
    )
)
