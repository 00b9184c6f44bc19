"""`python -m forecasting.api --data data/<name>`: what `make serve` and the container run."""

import argparse
import ipaddress
import logging
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn

from forecasting.api.app import create_app
from forecasting.api.cors import ANY, ORIGINS_VARIABLE, origins
from forecasting.api.hosts import HOSTS_VARIABLE, listed
from forecasting.errors import UserError

KEY_VARIABLE = "FORECASTING_API_KEY"
LOOPBACK = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    key = os.environ.get(KEY_VARIABLE, "")
    try:
        pages = origins(os.environ.get(ORIGINS_VARIABLE, ""))
    except UserError as error:
        print(f"\nError: {error}\n", file=sys.stderr)
        return 2
    if not key and not is_loopback(options.host):
        logging.warning(
            "Whoever reaches %s can ask for forecasts. Set %s to a key that callers must send.",
            options.host,
            KEY_VARIABLE,
        )
    if not key and ANY in pages:
        logging.warning(
            "Every web page that somebody opens who can reach this service can read the forecasts. List the pages in %s, or set %s.",
            ORIGINS_VARIABLE,
            KEY_VARIABLE,
        )
    if not options.data.is_dir():
        logging.warning("%s is not there yet: `make report` makes it. Until then /ready says so.", options.data)
    hosts = listed(os.environ.get(HOSTS_VARIABLE, ""))
    uvicorn.run(create_app(options.data, key, hosts, pages), host=options.host, port=options.port, **server_settings())
    return 0


def server_settings() -> dict[str, Any]:
    """Return how the server runs: no line for each request, which /metrics counts, and one process, which holds each model once."""
    return {"access_log": False, "server_header": False, "log_config": None}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(prog="python -m forecasting.api", description=__doc__)
    found.add_argument("--data", type=Path, required=True, help="the workspace's folder, data/<name>")
    found.add_argument(
        "--host", default=LOOPBACK, help="the address to listen on; by default only this machine can reach it"
    )
    found.add_argument("--port", type=int, default=8000, help="the port; 0 for any that is free")
    return found


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
