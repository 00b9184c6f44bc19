"""Running one notebook: strict parameters, no half-written result, plain messages."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import write_notebook
from forecasting.errors import UserError
from forecasting.pipeline import notebooks as pipeline

# A process of its own that executes one notebook: source, target, the value of a.
EXECUTE = """
import sys
from pathlib import Path
from forecasting.pipeline import notebooks as pipeline
pipeline.execute(Path(sys.argv[1]), Path(sys.argv[2]), {"a": int(sys.argv[3])})
"""


def outputs(path):
    """Return what the last cell printed."""
    return "".join("".join(out.get("text", "")) for out in json.loads(path.read_text())["cells"][-1]["outputs"])


def test_a_notebook_runs_in_the_folder_of_its_result_with_its_values(tmp_path):
    source = write_notebook(
        tmp_path / "n.ipynb", "a = 1\nb = 2", "import os; print(os.path.basename(os.getcwd()), a, b)"
    )
    target = tmp_path / "run" / "n.ipynb"
    pipeline.execute(source, target, {"a": 5})
    assert outputs(target) == "run 5 2\n"
    assert [path.name for path in target.parent.iterdir()] == ["n.ipynb"]
    assert json.loads(source.read_text())["cells"][-1]["outputs"] == []


def test_a_users_error_is_passed_on_and_nothing_looks_finished(tmp_path):
    source = write_notebook(
        tmp_path / "n.ipynb", "a = 1", "from forecasting.errors import UserError\nraise UserError('sales: no rows')"
    )
    target = tmp_path / "run" / "n.ipynb"
    target.parent.mkdir()
    target.write_text("the last good one")
    with pytest.raises(UserError, match="^sales: no rows$"):
        pipeline.execute(source, target, {})
    assert target.read_text() == "the last good one"
    assert "sales: no rows" in (target.parent / "n.failed.ipynb").read_text()


def test_a_bug_in_a_notebook_is_not_shown_as_a_users_error(tmp_path):
    source = write_notebook(tmp_path / "n.ipynb", "a = 1", "1 / 0")
    with pytest.raises(Exception, match="ZeroDivisionError") as error:
        pipeline.execute(source, tmp_path / "run" / "n.ipynb", {})
    assert not isinstance(error.value, UserError)


def test_a_value_nobody_declared_is_refused_before_anything_runs(tmp_path):
    source = write_notebook(tmp_path / "n.ipynb", "a = 1")
    with pytest.raises(UserError, match=r"n\.ipynb declares no parameter bb"):
        pipeline.execute(source, tmp_path / "run" / "n.ipynb", {"bb": 1})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_result_and_no_kernel(tmp_path, kill):
    source = write_notebook(
        tmp_path / "n.ipynb", "a = 1", "import os, time\nopen('pid', 'w').write(str(os.getpid()))", "time.sleep(60)"
    )
    target = tmp_path / "run" / "n.ipynb"
    process = subprocess.Popen(
        [sys.executable, "-c", EXECUTE, str(source), str(target), "1"], stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (target.parent / "pid").exists() and (target.parent / "pid").read_text(), 60)
    process.send_signal(kill)
    assert process.wait(30) != 0
    assert not target.exists()
    kernel = int((target.parent / "pid").read_text())
    wait_for(lambda: not alive(kernel), 30)


def test_notebooks_side_by_side_in_one_folder_keep_apart(tmp_path):
    """Their kernels must not share sockets: each answers with its own number."""
    source = write_notebook(tmp_path / "n.ipynb", "a = 0", "import time; time.sleep(2); print(a)")
    runs = [
        subprocess.Popen([sys.executable, "-c", EXECUTE, str(source), str(tmp_path / "run" / f"{i}.ipynb"), str(i)])
        for i in (1, 2, 3)
    ]
    assert [process.wait(120) for process in runs] == [0, 0, 0]
    assert [outputs(tmp_path / "run" / f"{i}.ipynb") for i in (1, 2, 3)] == ["1\n", "2\n", "3\n"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["1.ipynb", "2.ipynb", "3.ipynb"]


def wait_for(condition, seconds):
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def alive(pid):
    """Say whether a process is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_unknown_model_family_lists_the_notebooks(root):
    from forecasting.run.workspace import Workspace

    with pytest.raises(UserError, match="20_train_lineer.*20_train_linear"):
        pipeline.notebook(Workspace(root, "sample", "sample", None), "20_train_lineer")
