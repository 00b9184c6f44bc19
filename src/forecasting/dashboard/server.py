"""What `streamlit run` serves: the pages and, beside them, the kept editions of the report."""

import sys
from pathlib import Path

import streamlit as st
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from forecasting.dashboard import editions
from forecasting.dashboard.settings import folder

reports = StaticFiles(
    directory=editions.kept(folder(sys.argv[1:])), html=True, check_dir=False
)  # the first may be kept later
app = st.App(Path(__file__).with_name("app.py"), routes=[Mount(editions.ADDRESS, reports)])
