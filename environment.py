"""Fills the environment that this Python belongs to with the locked packages; `make` runs it before anything else.

    python environment.py           what runs need, and the project itself
    python environment.py test      what only the tests need besides
    python environment.py pretrain  what only the pretraining of the network needs besides: packages that bring series
    python environment.py lock      pins the packages of pyproject.toml again, for every platform

Airflow wants other versions than we do, so it has an environment of its own (.venv-airflow), filled by that one's Python:

    python environment.py airflow        what deploy/airflow/requirements.lock says
    python environment.py lock-airflow   pins deploy/airflow/requirements.in again

uv installs them, several times as fast as pip, which goes on where uv cannot. torch comes first and by itself: on Linux the usual
build brings gigabytes for graphics cards, and the small one lies elsewhere, where pip may have been told to look. Nothing
that is there already is installed again, so what was interrupted is simply run once more. Standard library only.
"""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent
LOCK, TEST_LOCK, PRETRAIN_LOCK = (ROOT / f"requirements{group}.lock" for group in ("", "-test", "-pretrain"))
AIRFLOW_LOCK, AIRFLOW_LIST = (ROOT / "deploy" / "airflow" / f"requirements.{kind}" for kind in ("lock", "in"))
# Not in the locks: which of them torch needs depends on its build, and it asks for them itself.
OF_TORCH_ALONE = ("nvidia-", "cuda-", "triton")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PIP_INSTALL, PIP_DOWNLOAD = (*PIP, "install", "-qq"), (*PIP, "download", "-qq")  # errors alone
UV = (sys.executable, "-m", "uv", "pip")
COMPILE = ("--universal", "--python-version", "3.11", "--upgrade", "--no-header", "--no-annotate", "--generate-hashes")
NO_TORCH = """torch {version} as built for processors was found neither where pip looks nor in PyTorch's own index. The usual build
brings gigabytes for graphics cards, and this machine has none that NVIDIA's driver knows. So either tell pip where the small build
is (PIP_EXTRA_INDEX_URL=<a mirror of PyTorch's index of CPU builds> make …), or take the large one: make … TORCH=cuda"""


def say(line: str) -> None:
    """Print one line of progress, at once."""
    print(f"environment  {line}", flush=True)


def done(*command: str | Path, show: bool = True) -> bool:
    """Run a command and return whether it succeeded; without `show` what it prints is dropped."""
    return subprocess.run(command, capture_output=not show).returncode == 0


def blocks(lock: Path) -> dict[str, str]:
    """Return the lines of each package in a lock, its hashes included, by its name; none of a lock that is not here (in an image)."""
    if not lock.exists():
        return {}
    found = re.split(r"(?m)^(?=[a-z0-9])", lock.read_text(encoding="utf-8"))[1:]
    by_name: dict[str, str] = {}
    for block in found:
        name = block.split("==")[0]
        by_name[name] = by_name.get(name, "") + block
    return by_name


def pinned(name: str) -> str:
    """Return the version of a package in requirements.lock."""
    return re.match(r"[^=]+==(\S+)", blocks(LOCK)[name])[1]


def installed(name: str) -> str | None:
    """Return the version of a package in this environment, without the name of its build, or None if it is not there."""
    try:
        return metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        return None


def is_whole(package: Path) -> bool:
    """Return whether every file is there that a package's .dist-info folder lists (bytecode aside, which may be removed at any time)."""
    if not (package / "RECORD").is_file():
        return False
    with (package / "RECORD").open(encoding="utf-8", newline="") as record:
        return all((package.parent / name).exists() for name, *_ in csv.reader(record) if not name.endswith(".pyc"))


def forget_what_was_interrupted() -> None:
    """Have locked packages installed again of which an interrupted set-up left pieces: pip and uv would take them for installed."""
    locked = {*blocks(LOCK), *blocks(TEST_LOCK), *blocks(PRETRAIN_LOCK), *blocks(AIRFLOW_LOCK)}
    for package in Path(sysconfig.get_path("platlib")).glob("*.dist-info"):
        if package.name.split("-")[0].lower().replace("_", "-") in locked and not is_whole(package):
            shutil.rmtree(package)


# --- the two installers


def fetch_uv() -> bool:
    """Have uv in its locked version by pip, and tell it where pip looks; return whether it is here."""
    tell_uv_where_pip_looks()
    if installed("uv") == pinned("uv"):
        return True
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "uv.lock")
        wanted.write_text(blocks(LOCK)["uv"], encoding="utf-8")
        return done(*PIP_INSTALL, "--no-deps", "--requirement", wanted, show=False)


def tell_uv_where_pip_looks() -> None:
    """Hand pip's index and certificates on to uv, which reads no pip.conf, unless uv was told others."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True).stdout
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    for option, variable in {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}.items():
        places = (f":env:.{option}", f"install.{option}", f"global.{option}")
        value = next((settings[place] for place in places if place in settings), None)
        if value:
            os.environ.setdefault(variable, ast.literal_eval(value))


def install(*what: str | Path, uv: bool) -> bool:
    """Install by uv, or by pip where there is no uv or it fails; return whether it worked."""
    if uv and done(*UV, "install", "--quiet", "--python", sys.executable, *what):
        return True
    if uv:
        say("uv could not do that: pip tries")
    return done(*PIP_INSTALL, *what)


# --- torch


def wants_small_torch() -> bool:
    """Return whether the usual build of torch would bring gigabytes for nothing: on Linux, without a graphics card of NVIDIA's."""
    card = shutil.which("nvidia-smi") or Path("/proc/driver/nvidia/version").exists()
    return sys.platform == "linux" and not card and os.environ.get("TORCH") != "cuda"


def small_torch(version: str, uv: bool) -> bool:
    """Install torch as built for processors, from where pip finds it or else from PyTorch's own index; return whether it was found.

    Those builds are named: asked for 2.13.0+cpu, pip says no at once where it knows only the usual build, and downloads nothing.
    """
    folder = Path(sys.prefix, "torch.running")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        if done(*PIP_DOWNLOAD, "--no-deps", "--dest", folder, f"torch=={version}+cpu", show=False):
            # not by uv's usual cache, which would keep a copy for every folder that a wheel ever came from
            cache = ("--cache-dir", folder / "cache")
            return install(*cache, "--no-deps", "--no-index", "--find-links", folder, f"torch=={version}", uv=uv)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    from_pytorch = ("--python", sys.executable, "--no-deps", "--torch-backend", "cpu", f"torch=={version}")
    return uv and done(*UV, "install", *from_pytorch, show=False)


def install_torch(uv: bool) -> None:
    """Install the locked release of torch, if it is not here; what it needs comes with the lock."""
    version = pinned("torch")
    if installed("torch") == version:
        return
    say(f"installing torch {version}")
    if wants_small_torch():
        if not small_torch(version, uv):
            sys.exit(NO_TORCH.format(version=version))
    elif not install("--no-deps", f"torch=={version}", uv=uv):
        sys.exit(f"torch {version} could not be installed.")


# --- what make asks for


def fill(lock: Path) -> None:
    """Install what a lock says; after requirements.lock torch's own wishes and the project too."""
    forget_what_was_interrupted()
    uv = fetch_uv()
    if lock == LOCK:
        install_torch(uv)
    by = "uv" if uv else "pip, which takes some minutes: uv is not to be had"
    say(f"installing the packages of {lock.relative_to(ROOT)} by {by}")
    well = install("--no-deps", "--requirement", lock, uv=uv)
    if well and lock == LOCK:
        well = install(f"torch=={pinned('torch')}", uv=uv)
        well = well and install("--no-deps", "--no-build-isolation", "--editable", ROOT, uv=uv)
    if not well:
        sys.exit("The environment is not complete. What is there stays: the next make goes on from here.")


def pin() -> None:
    """Write the locks anew; that of a group (tests, pretraining) holds only what requirements.lock has not."""
    for lock, group in ((LOCK, None), (TEST_LOCK, "test"), (PRETRAIN_LOCK, "pretrain")):
        pin_one(lock, group)


def pin_one(lock: Path, group: str | None) -> None:
    """Write the lock of the project's packages, or of a group of pyproject.toml."""
    compile_lock = (*UV, "compile", "--quiet", *COMPILE, ROOT / "pyproject.toml")
    more = ("--group", group, "--constraint", LOCK) if group else ()
    known = blocks(LOCK) if group else {}
    with TemporaryDirectory() as folder:
        whole = Path(folder, "all.lock")
        if not (fetch_uv() and done(*compile_lock, *more, "--output-file", whole)):
            sys.exit(f"{lock.name} stays as it was: uv is not to be had, or could not pin the packages.")
        found = blocks(whole)
    kept = [text for name, text in found.items() if known.get(name) != text and not name.startswith(OF_TORCH_ALONE)]
    lock.write_text("".join(kept), encoding="utf-8")


def pin_airflow() -> None:
    """Write Airflow's lock anew, for the systems that Airflow runs on (it does not on Windows)."""
    with TemporaryDirectory() as folder:
        whole = Path(folder, "airflow.lock")
        if not (fetch_uv() and done(*UV, "compile", "--quiet", *COMPILE, AIRFLOW_LIST, "--output-file", whole)):
            sys.exit(f"{AIRFLOW_LOCK.name} stays as it was: uv is not to be had, or could not pin the packages.")
        AIRFLOW_LOCK.write_text(whole.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    what = "".join(sys.argv[1:])
    if what.startswith("lock"):
        {"lock": pin, "lock-airflow": pin_airflow}[what]()
    else:
        fill({"test": TEST_LOCK, "pretrain": PRETRAIN_LOCK, "airflow": AIRFLOW_LOCK}.get(what, LOCK))
