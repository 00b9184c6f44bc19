"""`alerts.json`: what the monitor says of the runs in force, for other programs; and the command of `on_alert` that is handed it.

The command runs once for each new alert: what it has been told lies in `data/<name>/alerted.json`.
"""

import json
import shlex
import subprocess
import sys
from typing import Any

from forecasting.files import write_if_changed
from forecasting.ledger import Published
from forecasting.monitor.verdicts import ASK, OK, RETRAIN, VERDICTS
from forecasting.run import Workspace

ACT = (RETRAIN, ASK)  # verdicts that somebody, or the next run, must act on
TOLD = ("domain", "cutoff", "run_id", "verdict", "retrained", "reasons", "limits")
PATIENCE = 120  # seconds that the command may take


def standing(workspace: Workspace) -> dict[str, Any]:
    """Return the content of `alerts.json`: workspace, the gravest verdict, and of each domain in force what the monitor says."""
    found = Published(workspace.published).judgements() if workspace.published.exists() else []
    found = [{name: each[name] for name in TOLD} for each in found]
    verdicts = [each["verdict"] for each in found] or [OK]
    return {"workspace": workspace.name, "verdict": max(verdicts, key=VERDICTS.index), "domains": found}


def in_words(found: dict[str, Any]) -> list[str]:
    """Return a line for each domain, its verdict and reasons, for people."""
    return [
        f"{each['domain']:<10} {each['verdict']}: {' '.join(reason['text'] for reason in each['reasons'])}"
        + (" They were trained in this run." if is_done(each) else "")
        for each in found["domains"]
    ]


def needs_action(found: dict[str, Any]) -> bool:
    """Say whether some domain needs new models that it has not got yet, or a person."""
    return any(each["verdict"] in ACT and not is_done(each) for each in found["domains"])


def is_done(each: dict[str, Any]) -> bool:
    """Say whether the new models that a domain needed were trained in the very run that is judged."""
    return each["verdict"] == RETRAIN and each["retrained"]


def alert(workspace: Workspace, command: str | None) -> None:
    """Write `runs/<name>/alerts.json` and, where there is something new to act on, hand it to the command of `on_alert`.

    A command that fails is reported on stderr and asked again after the next publication; nothing else depends on it.
    """
    found = standing(workspace)
    path, memory = workspace.runs / "alerts.json", workspace.data / "alerted.json"
    write_if_changed(path, _text(found))
    told = json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else []
    now = [
        [each["domain"], each["cutoff"], each["verdict"], _codes(each)]
        for each in found["domains"]
        if each["verdict"] in ACT
    ]
    new = [each for each in now if each not in told]
    if new and command and handed_over([*shlex.split(command), str(path)]):
        write_if_changed(memory, _text([*told, *new]))


def handed_over(words: list[str]) -> bool:
    """Run a command to its end; say whether it succeeded, and on stderr why where it did not."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, timeout=PATIENCE, capture_output=True, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _failed(words, str(error))
    return (
        True if done.returncode == 0 else _failed(words, f"exit code {done.returncode}. {done.stderr.strip()[-300:]}")
    )


def _failed(words: list[str], why: str) -> bool:
    """Report a command that failed."""
    print(
        f"The command of on_alert, {words[0]}, failed: {why}\nIt is asked again after the next publication.",
        file=sys.stderr,
    )
    return False


def _codes(each: dict[str, Any]) -> list[str]:
    """Return the codes of the reasons of a domain's verdict."""
    return sorted({reason["code"] for reason in each["reasons"]})


def _text(content: Any) -> str:
    """Write JSON as files have it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
