"""The page with the form: bring a series, get its forecast from the champion of a domain."""

import streamlit as st

from forecasting.contracts import MAX_HORIZON
from forecasting.dashboard import figures, tables
from forecasting.dashboard.answer import cut_bounds, cut_points, fallback_reason, interval_words, looks_at, who
from forecasting.dashboard.example import example
from forecasting.dashboard.form import WAYS, answered, ask_for, fill_in
from forecasting.dashboard.number_text import NothingToRead
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError
from forecasting.wording import count, decimals_for, month

domain = st.session_state["domain"]
workspace = st.session_state["workspace"]
small = example(workspace.domain(domain))
st.subheader("Forecast a series of your own", anchor=False)
st.caption(
    f"By the model that makes the forecasts of {domain}, chosen above. What you bring is not kept and not published."
)
horizon = st.slider("Months ahead", 1, MAX_HORIZON, MAX_HORIZON, key="horizon", width=420)
st.session_state.setdefault("way", "Paste")  # no default: the example chooses a way, too
way = st.segmented_control("How to bring it", list(WAYS), key="way", required=True)
try:
    read = WAYS[way]()
    with st.container(horizontal=True):
        asked = st.button("Forecast", icon=":material/trending_up:")
        st.button("Try an example", icon=":material/lightbulb:", on_click=fill_in, args=(small,))
    if read is None:
        if asked:
            ask_for(way)
        st.stop()
    place = st.empty()  # the spinner takes the place of the last answer, so that none stands below another question
    with place, st.spinner("Forecasting …"):
        brought = read()
        forecaster = workspace.forecaster(domain)
        found = answered(forecaster, brought, horizon)
except NothingToRead as nothing:
    ask_for(way, str(nothing))
    st.stop()
except UserError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

with place.container():
    span = f"{month(brought.months[0])} to {month(brought.months[-1])}"
    st.subheader(f"The next {count(horizon, 'month')}", anchor=False)
    if way == "Paste" and st.session_state["text"] == small.text:
        st.caption(plain(f"An example: {domain} of {small.name}, its last {count(small.months, 'month')} of actuals."))
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
    said = [who(found.served), looks_at(found.served, len(brought.months)), interval_words(found), cut_bounds(found)]
    st.caption(plain(" ".join(filter(None, said))))
