"""Running one notebook: strict parameters, no half-written result, plain messages."""

import json
import os
import signal
import subprocess
import sys

import nbformat
import pytest

from conftest import write_notebook
from forecasting.errors import UserError
from forecasting.pipeline import notebooks as pipeline
from forecasting.pipeline import steps, told
from nbval_on_any_machine import run_nbval
from waiting import PATIENCE, until

# A process of its own that executes one notebook: source, target, the value of a.
EXECUTE = """
import sys
from pathlib import Path
from forecasting.pipeline.notebooks import execute
execute(Path(sys.argv[1]), Path(sys.argv[2]), {"a": int(sys.argv[3])})
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
        tmp_path / "n.ipynb", "a = 1", "import os, time\nopen('pid', 'w').write(str(os.getpid()))", "time.sleep(6000)"
    )
    target = tmp_path / "run" / "n.ipynb"
    process = subprocess.Popen(
        [sys.executable, "-c", EXECUTE, str(source), str(target), "1"], stderr=subprocess.DEVNULL
    )
    kernel = int(until(lambda: (target.parent / "pid").exists() and (target.parent / "pid").read_text(), process))
    process.send_signal(kill)
    assert process.wait(PATIENCE) != 0
    assert not target.exists()
    until(lambda: not alive(kernel))


def test_notebooks_side_by_side_in_one_folder_keep_apart(tmp_path):
    """Their kernels must not share sockets: each answers with its own number, and none before all of them run."""
    meet = "import time, pathlib\npathlib.Path(f'{a}.here').touch()\nwhile len(list(pathlib.Path().glob('*.here'))) < 3: time.sleep(0.05)"
    source = write_notebook(tmp_path / "n.ipynb", "a = 0", meet, "print(a)")
    runs = [
        subprocess.Popen([sys.executable, "-c", EXECUTE, str(source), str(tmp_path / "run" / f"{i}.ipynb"), str(i)])
        for i in (1, 2, 3)
    ]
    assert [process.wait(PATIENCE) for process in runs] == [0, 0, 0]
    assert [outputs(tmp_path / "run" / f"{i}.ipynb") for i in (1, 2, 3)] == ["1\n", "2\n", "3\n"]
    assert sorted(path.name for path in (tmp_path / "run").glob("*.ipynb")) == ["1.ipynb", "2.ipynb", "3.ipynb"]


IN_PIECES = "import sys\nfor word in ('one', 'two'): print(word, flush=True)\nprint('three', file=sys.stderr, flush=True)\nprint('four')"


def test_what_a_cell_prints_is_one_output_however_the_kernel_cut_it_up(tmp_path):
    """A kernel that is asked to hand over after each line stands for one that is slow; nbval, with its own kernel, finds no difference."""
    source = write_notebook(tmp_path / "n.ipynb", "a = 1", IN_PIECES)
    pipeline.execute(source, tmp_path / "run" / "n.ipynb", {})
    cells = nbformat.read(tmp_path / "run" / "n.ipynb", as_version=4).cells
    assert [(out.name, out.text) for out in cells[-1].outputs] == [
        ("stdout", "one\ntwo\n"),
        ("stderr", "three\n"),
        ("stdout", "four\n"),
    ]
    again = run_nbval(tmp_path, tmp_path / "run" / "n.ipynb")
    assert again.returncode == 0, again.stdout
    text = (tmp_path / "run" / "n.ipynb").read_text(encoding="utf-8")
    (tmp_path / "run" / "n.ipynb").write_text(text.replace('"two\\n"', '"2\\n"'), encoding="utf-8")
    again = run_nbval(tmp_path, tmp_path / "run" / "n.ipynb")
    assert again.returncode == 1 and "Cell outputs differ" in again.stdout


def test_only_pieces_of_one_stream_that_follow_each_other_are_joined(tmp_path):
    piece, figure = nbformat.v4.new_output, nbformat.v4.new_output("display_data", {"text/plain": "figure"})
    shown = [piece("stream", name="stdout", text=text) for text in ("a", "b\n", "c\n")]
    cell = nbformat.v4.new_code_cell(
        "x", outputs=[*shown[:2], figure, shown[2], piece("stream", name="stderr", text="d")]
    )
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("words"), cell]), path)
    told.tell(path)
    outputs = nbformat.read(path, as_version=4).cells[1].outputs
    assert [(out.get("name"), out.get("text")) for out in outputs] == [
        ("stdout", "ab\n"),
        (None, None),
        ("stdout", "c\n"),
        ("stderr", "d"),
    ]
    before = path.read_bytes()
    told.tell(path)
    assert path.read_bytes() == before


def test_an_executed_notebook_names_its_domain_and_has_one_cell_of_parameters(tmp_path):
    source = write_notebook(tmp_path / "n.ipynb", "run_dir = '..'\nnames = ['x']\nb = 2", "print(run_dir, names, b)")
    notebook = nbformat.read(source, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# Check the data\nWhat came in."))
    nbformat.write(notebook, source)
    before, target = source.read_bytes(), tmp_path / "sales" / "n.ipynb"
    pipeline.execute(source, target, {"names": ["y", "z # 1"], "run_dir": "."}, "sales")
    title, parameters, code = nbformat.read(target, as_version=4).cells
    assert title.source == "# Sales – Check the data\nWhat came in." and source.read_bytes() == before
    assert parameters.source == 'run_dir = "."\nnames = ["y", "z # 1"]\nb = 2' and parameters.metadata.tags == [
        "parameters"
    ]
    assert code.outputs[0].text == ". ['y', 'z # 1'] 2\n"
    again = run_nbval(tmp_path, target)
    assert again.returncode == 0, again.stdout


def test_a_page_of_no_domain_keeps_its_title(tmp_path):
    path = tmp_path / "n.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# Overview"), nbformat.v4.new_code_cell("1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    told.tell(path)
    assert nbformat.read(path, as_version=4).cells[0].source == "# Overview"


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
        steps.notebook(Workspace(root, "sample", "sample", None), "20_train_lineer")
