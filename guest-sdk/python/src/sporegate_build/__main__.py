"""Makes a component of a module: `python -m sporegate_build chat.py -o chat.wasm`.

Needs componentize-py, which `pip install sporegate` brings. What is beside the module can be imported by
it, and with `--path` what is in other directories; all of it is imported when the component is built, and
nothing can be imported afterwards.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

_GATEWAY = "sporegate:gateway/{}@1.0.0"
_HERE = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    module: Path = options.module
    output: Path = options.output or module.with_suffix(".wasm")
    if module.suffix != ".py" or not module.is_file():
        print(f"{module}: no such Python file", file=sys.stderr)
        return 2
    tool = _tool()
    if tool is None:
        print("componentize-py is missing: pip install componentize-py==0.25.0", file=sys.stderr)
        return 3
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [tool, *interface(options.stateful, options.http, options.config)]
    command += ["--quiet", "componentize", module.stem, "--output", str(output)]
    for path in (module.parent, _HERE.parent, *options.path):
        command += ["--python-path", str(path)]
    return subprocess.run(command, check=False).returncode


def interface(stateful: bool, http: bool, config: bool) -> list[str]:
    """What tells componentize-py the world: the gateway's own, and those that a module names."""
    worlds = [_GATEWAY.format("stateful-listener" if stateful else "listener")]
    worlds += ["sporegate:python/http"] * http + ["sporegate:python/config"] * config
    flags = ["--full-names"]
    for path in wit_directories():
        flags += ["--wit-path", str(path)]
    for world in worlds:
        flags += ["--world", world]
    return flags


def wit_directories() -> list[Path]:
    """The interface: in the installed package, or in the repository."""
    installed = _HERE / "wit"
    if installed.is_dir():
        return [installed / "gateway", installed / "python"]
    return [_HERE.parents[3] / "wit", _HERE.parents[1] / "wit"]


def _tool() -> str | None:
    beside = Path(sys.executable).parent / "componentize-py"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("componentize-py")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sporegate_build", description=__doc__)
    parser.add_argument("module", type=Path, help="the Python file with the exported listener")
    parser.add_argument("-o", "--output", type=Path, help="the component; beside the module if not given")
    parser.add_argument("--stateful", action="store_true", help="the listener is a StatefulListener")
    parser.add_argument("--http", action="store_true", help="it uses sporegate.http")
    parser.add_argument("--config", action="store_true", help="it uses sporegate.config")
    parser.add_argument("--path", type=Path, action="append", default=[], help="more to import from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
