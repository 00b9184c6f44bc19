"""The page with the accuracy: what was published against what came, and, kept apart from it, the models' back-test."""

import streamlit as st

from forecasting.dashboard import accuracy, figures
from forecasting.report import provenance
from forecasting.wording import SPACE, month

workspace = st.session_state["workspace"]
domain = workspace.domain(st.session_state["domain"])
unit = f" Bias and FVA are in {domain.unit}." if domain.unit else ""

names = accuracy.names(domain)
level = st.segmented_control(
    "Accuracy of", list(names), format_func=names.get, key="level", default="total", required=True
)
with st.expander("How to read these tables"):
    st.markdown(accuracy.READING.replace(" %", f"{SPACE}%"))

st.subheader("Published forecasts, against what came", anchor=False)
st.caption(
    "What people really got, by the months between the last month that a forecast knew and the month it was made for."
)
found = accuracy.published(workspace.record(domain.name), level)
if found.empty:
    first = month(domain.future["ds"].min())
    st.info(
        f"No published forecast of {domain.name} has met its month yet. The first will be that of {first}, once it has closed."
    )
else:
    st.dataframe(accuracy.published_table(found), hide_index=True)
    st.caption(f"Actuals count as they were first known.{unit}")

st.subheader("Back-test of all models, not published", anchor=False)
evaluation_set = st.segmented_control(
    "Cutoffs", list(accuracy.SETS), format_func=accuracy.SETS.get, key="set", default="held_out", required=True
)
board = accuracy.back_test(domain, level, evaluation_set)
if board.empty:
    st.info("There is no such back-test: the history is too short to hold months back.")
else:
    said = f"What the models would have said at past cutoffs, knowing only the months up to them: {accuracy.cutoffs(board)}."
    st.caption(" ".join([said, accuracy.WHAT[evaluation_set], *filter(None, [provenance.sample(board)])]))
    if board["mase"].notna().any():
        st.plotly_chart(
            figures.ranking(board, "mase"), config=figures.CONFIG, key="ranking", alt=accuracy.described(board)
        )
        st.caption("MASE, lower is better. ★: the champion, whose forecasts are published. Dotted: the seasonal naive.")
    st.dataframe(
        accuracy.back_test_table(board), hide_index=True, column_config={"Model": st.column_config.Column(pinned=True)}
    )
    st.caption(f"All months ahead together.{unit}")
