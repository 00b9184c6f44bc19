"""`python -m forecasting.dashboard --data data/<name>`: what `make dashboard` and the container run. Streamlit takes this process over."""

import argparse
import os
import sys
from pathlib import Path

from forecasting.dashboard.settings import SETTINGS

SERVER = Path(__file__).with_name("server.py")
LOOPBACK = "127.0.0.1"
OWN = (LOOPBACK, "localhost", "::1")  # addresses that only this machine can reach


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped."""
    options = parser().parse_args(arguments)
    words = command(options.data, options.host, options.port)
    if not (options.data / "published.duckdb").exists():
        print(
            f"Nothing has been published in {options.data} yet: `make report` does it, and the dashboard shows it then."
        )
    if options.host not in OWN:
        print(f"Whoever reaches {options.host} sees the forecasts: the dashboard asks for no password.")
    print(f"The dashboard is on http://{options.host}:{options.port} (Ctrl-C stops it).", flush=True)
    os.execv(words[0], words)


def command(data: Path, host: str, port: int) -> list[str]:
    """Return the command line of the server, with every setting stated."""
    settings = SETTINGS | {"server.address": host, "server.port": port, "browser.serverAddress": host}
    flags = [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SERVER), *flags, "--", "--data", str(data)]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(prog="python -m forecasting.dashboard", description=__doc__)
    found.add_argument("--data", type=Path, required=True, help="the workspace's folder, data/<name>")
    found.add_argument(
        "--host", default=LOOPBACK, help="the address to listen on; by default only this machine can reach it"
    )
    found.add_argument("--port", type=int, default=8501, help="the port")
    return found


if __name__ == "__main__":
    main()
