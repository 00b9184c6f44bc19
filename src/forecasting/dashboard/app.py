"""The script that Streamlit runs: what all pages share, and the page that is open."""

import logging
import sys

import streamlit as st

from forecasting.dashboard.header import header, watch
from forecasting.dashboard.settings import ICON, folder
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError

st.set_page_config(page_icon=ICON, layout="wide")  # first: a page's own icon would be fetched from the internet
WHAT_IF = st.Page("views/what_if.py", title="What if", icon=":material/tune:")
PAGES = [
    st.Page("views/forecasts.py", title="Forecasts", icon=":material/show_chart:", default=True),
    st.Page("views/accuracy.py", title="Accuracy", icon=":material/target:"),
    WHAT_IF,
    st.Page("views/overrides.py", title="Overrides", icon=":material/edit:"),
    st.Page("views/own_series.py", title="Your own series", icon=":material/edit_note:"),
]
page = st.navigation(PAGES, position="top")
st.set_page_config(page_title=f"{page.title} · Monthly forecasts")
try:
    workspace = Workspace.of(folder(sys.argv[1:]))
    watch(workspace)
    st.session_state["workspace"] = workspace
    header(workspace, "sales" if page == WHAT_IF else None)
    page.run()
except UserError as error:
    st.error(plain(str(error)), icon=":material/error:")
except Exception:
    logging.getLogger("forecasting.dashboard").exception("The page failed.")
    st.error("This page failed, which is a fault of the dashboard. Its log says where. The other pages go on working.")
