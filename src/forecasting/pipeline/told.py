"""What papermill leaves, made a page for who opens it: a title that names the domain, one parameters cell, each print in one piece."""

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode

DEFAULTS, INJECTED = "parameters", "injected-parameters"


def tell(path: Path, domain: str = "") -> None:
    """Rewrite an executed notebook; what it computed and shows stays as it is."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    join_streams(notebook)
    merge_parameters(notebook)
    if domain:
        name_domain(notebook, domain)
    nbformat.write(notebook, path)


def join_streams(notebook: NotebookNode) -> None:
    """Make one output of consecutive pieces of a stream: into how many a kernel cuts what a cell prints is a matter of its speed."""
    for cell in notebook.cells:
        joined: list[NotebookNode] = []
        for output in cell.get("outputs", []):
            if joined and output.output_type == "stream" and joined[-1].get("name") == output.name:
                joined[-1].text += output.text
            else:
                joined.append(output)
        if "outputs" in cell:
            cell.outputs = joined


def merge_parameters(notebook: NotebookNode) -> None:
    """Put the values of the run in the place of the defaults, and take out the cell in which papermill set them."""
    tagged = {tag: cell for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    if not {DEFAULTS, INJECTED} <= set(tagged):
        return
    values = assigned(tagged[DEFAULTS].source) | assigned(tagged[INJECTED].source)
    tagged[DEFAULTS].source = "\n".join(f"{name} = {value}" for name, value in values.items())
    notebook.cells.remove(tagged[INJECTED])


def assigned(code: str) -> dict[str, str]:
    """Return what «name = literal» lines assign, as they are written, in their order."""
    return {line.targets[0].id: ast.get_source_segment(code, line.value) for line in ast.parse(code).body}


def name_domain(notebook: NotebookNode, domain: str) -> None:
    """Begin the notebook's title with the domain."""
    title = next(
        (cell for cell in notebook.cells if cell.cell_type == "markdown" and cell.source.startswith("# ")), None
    )
    if title:
        title.source = f"# {domain.capitalize()} – {title.source.removeprefix('# ')}"
