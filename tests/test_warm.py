"""Steps that start warm: whoever asks gets output and exit code, no fork outlives its command, and a notebook's kernel is a fork too."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import write_notebook
from forecasting.run import progress, warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each command does its own work")

# A process that holds a workspace, runs a command and does what it asks for: folder, name of the work, command.
HOLD = """
import os, sys, time
from pathlib import Path
from forecasting import run
from forecasting.pipeline import notebooks

def work(arguments):
    print(os.getpid(), os.getppid(), run.is_fork(), os.environ["PREPARED"], flush=True)
    if arguments[0] == "fail":
        raise ValueError("a bug")
    if arguments[0] == "sleep":
        time.sleep(60)
    if arguments[0] == "execute":
        notebooks.execute(Path(arguments[1]), Path(arguments[2]), {"a": 7})
    return int(arguments[-1]) if arguments[0] == "exit" else 0

def prepare(arguments):
    os.environ["PREPARED"] = " ".join(arguments)

place = run.Workspace(Path(sys.argv[1]), "sample", "sample", None)
print(os.getpid(), flush=True)
sys.exit(run.run_alone(place, sys.argv[2:], run.Steps(work, prepare)))
"""
ASK = "import sys\nfrom forecasting import run\nsys.exit(run.ask(sys.argv[1:]))"


def hold(folder, *asked: str) -> subprocess.CompletedProcess:
    """Have a command ask for work and return what came of it."""
    line = [sys.executable, "-c", HOLD, str(folder), sys.executable, "-c", ASK, *asked]
    return subprocess.run(line, capture_output=True, text=True, timeout=120)


def test_the_work_is_done_in_a_fork_that_was_prepared_and_its_exit_code_is_handed_on(tmp_path):
    done = hold(tmp_path, "exit", "3")
    holder, said = done.stdout.splitlines()
    fork, parent, is_fork, prepared = said.split(" ", 3)
    assert (done.returncode, parent, is_fork, prepared) == (3, holder, "True", "exit 3") and fork != holder


def test_a_bug_is_told_to_who_asked(tmp_path):
    done = hold(tmp_path, "fail")
    assert done.returncode == 1 and "ValueError: a bug" in done.stderr


def test_without_a_process_to_ask_each_command_does_its_own_work(monkeypatch):
    monkeypatch.delenv(warm.FOLDER, raising=False)
    assert warm.ask(["step"]) is None and not warm.is_fork()


def test_a_fork_ends_with_the_command_that_asked_for_it_and_does_not_keep_the_workspace(tmp_path):
    line = [sys.executable, "-c", HOLD, str(tmp_path), sys.executable, "-c", ASK, "sleep"]
    holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    fork = int(holder.stdout.readline().split()[0])
    (asker,) = [int(pid) for pid in children(holder.pid) if int(pid) != fork]
    os.kill(asker, signal.SIGKILL)
    assert holder.wait(30) != 0
    end = time.monotonic() + 30
    while os.path.exists(f"/proc/{fork}") and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{fork}")
    assert hold(tmp_path, "exit", "0").returncode == 0


def children(process: int) -> list[str]:
    """Return the processes that a process has started."""
    with open(f"/proc/{process}/task/{process}/children", encoding="utf-8") as file:
        return file.read().split()


def test_a_notebook_in_a_fork_has_a_kernel_of_its_own_in_its_folder(tmp_path):
    code = "import os, sys\nprint(a, os.path.basename(os.getcwd()), os.getpid(), os.getppid(), 'forecasting.pipeline' in sys.modules)"
    source, target = write_notebook(tmp_path / "n.ipynb", "a = 1", code), tmp_path / "run" / "n.ipynb"
    done = hold(tmp_path, "execute", str(source), str(target))
    assert done.returncode == 0, done.stderr
    fork = done.stdout.splitlines()[1].split()[0]
    (output,) = json.loads(target.read_text(encoding="utf-8"))["cells"][-1]["outputs"]
    a, folder, kernel, parent, is_warm = "".join(output["text"]).split()
    assert (a, folder, parent, is_warm) == ("7", "run", fork, "True") and kernel != fork
    assert not os.path.exists(f"/proc/{kernel}") and [path.name for path in target.parent.iterdir()] == ["n.ipynb"]


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """The folder of a run in which Make has found three of five steps to be done."""
    lines = [": of 5 runs/acme/report/index.html", "py -m forecasting step sales 25_combine --name x",
             "py -m forecasting publish --name x", "py -m forecasting page index --name x"]  # fmt: skip
    (tmp_path / "plan").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setenv(warm.FOLDER, str(tmp_path))
    return tmp_path


def test_steps_are_numbered_as_they_begin(planned, capsys):
    for step in ("25_combine", "30_evaluate"):
        progress.timed("sales", step, lambda: None)
    begun, _, second, _ = capsys.readouterr().err.splitlines()
    assert begun.startswith("[1/3] sales      25_combine") and second.startswith("[2/3] sales      30_evaluate")


def test_a_step_outside_a_run_has_no_number(monkeypatch, capsys):
    monkeypatch.delenv(warm.FOLDER, raising=False)
    progress.timed("sales", "25_combine", lambda: None)
    assert capsys.readouterr().err.startswith("sales      25_combine")


@pytest.mark.parametrize(
    ("n_done", "said"),
    [(3, "3 of 5 steps done, the others are up to date."), (0, "5 steps are up to date."), (5, "All 5 steps done.")],
)
def test_the_end_says_what_was_skipped_and_where_the_report_is(planned, capsys, n_done, said):
    for _ in range(n_done):
        progress.next_number()
    progress.show_end(planned)
    assert capsys.readouterr().out == f"{said} The report is runs/acme/report/index.html\n"


def test_what_took_long_the_last_time_is_announced(tmp_path):
    executed = write_notebook(tmp_path / "sales" / "20_train_cnn_lstm.ipynb", "a = 1")
    other = tmp_path / "profit" / executed.name
    assert progress.usual_time(executed) == ""
    for seconds, said in ((75.2, "took 75 s last time"), (3.0, "")):
        content = json.loads(executed.read_text(encoding="utf-8"))
        content["metadata"]["papermill"] = {"duration": seconds}
        executed.write_text(json.dumps(content), encoding="utf-8")
        assert progress.usual_time(executed) == said and progress.usual_time(other) == said
