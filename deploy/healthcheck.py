"""`python deploy/healthcheck.py PORT PATH`: exit code 0 where the server of this container answers 200, else 1 and the reason."""

import http.client  # not urllib, which would ask a proxy
import sys

SECONDS = 4


def main(port: str, path: str) -> int:
    """Ask once."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"{path} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != http.client.OK:
        print(f"{path} answers {status}.", file=sys.stderr)
    return int(status != http.client.OK)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
