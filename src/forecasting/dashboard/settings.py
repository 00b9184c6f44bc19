"""What the dashboard is started with: the workspace's folder, and how Streamlit is to behave and look.

Everything is stated here, so that no configuration file of a user changes it.
"""

import argparse
from pathlib import Path

# Streamlit would fetch an icon by name from the internet.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke-width='2.5'%3E"
    "%3Cpath stroke='%230072b2' d='M2 18l6-7 4 4'/%3E%3Cpath stroke='%23d55e00' stroke-dasharray='3 2' d='M12 15l9-10'/%3E%3C/svg%3E"
)
LARGEST_UPLOAD = 2  # MB: a monthly series has a few kilobytes

SETTINGS: dict[str, str | int | bool] = {
    "server.headless": True,  # open no browser, ask for no e-mail address
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.maxUploadSize": LARGEST_UPLOAD,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # what went wrong is in the log; a traceback helps nobody who reads the page
    "client.disableDataExport": True,  # of tables as they are written; the pages' own button gives every digit
    "logger.hideWelcomeMessage": True,
    "theme.baseRadius": "small",
    "theme.light.primaryColor": "#005a9c",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f3f5f8",
    "theme.light.textColor": "#0b1118",  # captions are a lighter shade of it and must be readable too
    "theme.light.borderColor": "#d9dde3",
    "theme.light.linkColor": "#005a9c",
    "theme.dark.primaryColor": "#7cc0f5",
    "theme.dark.backgroundColor": "#12161c",
    "theme.dark.secondaryBackgroundColor": "#1b212a",
    "theme.dark.textColor": "#e8ecf1",
    "theme.dark.borderColor": "#333c49",
    "theme.dark.linkColor": "#7cc0f5",
}  # fmt: skip


def folder(arguments: list[str]) -> Path:
    """Return the workspace's folder of the command line that started the dashboard."""
    found = argparse.ArgumentParser()
    found.add_argument("--data", type=Path, required=True)
    return found.parse_known_args(arguments)[0].data
