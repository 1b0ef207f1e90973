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
import tempfile
from pathlib import Path

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
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "world.wit").write_text(world(options.stateful, options.http, options.config))
        command = [tool, "--quiet", "--full-names", "--wit-path", str(wit_directory())]
        command += ["--wit-path", folder, "--world", "sporegate:python/module"]
        command += ["componentize", module.stem, "--output", str(output)]
        for path in (module.parent, _HERE.parent, *options.path):
            command += ["--python-path", str(path)]
        return subprocess.run(command, check=False).returncode


def world(stateful: bool, http: bool, config: bool) -> str:
    """The WIT of the world that a module targets: the gateway's own, and what it imports besides. One
    world, since componentize-py 0.25.0 panics when it joins some of several."""
    lines = ["include sporegate:gateway/stateful-listener@1.0.0;"] * stateful
    lines += ["include sporegate:gateway/listener@1.0.0;"] * (not stateful)
    lines += ["import wasi:http/outgoing-handler@0.2.12;"] * http
    lines += ["import wasi:config/store@0.2.0-rc.1;"] * config
    return "package sporegate:python;\n\nworld module { " + " ".join(lines) + " }\n"


def wit_directory() -> Path:
    """The interface: in the installed package, or in the repository."""
    installed = _HERE / "wit"
    return installed if installed.is_dir() else _HERE.parents[3] / "wit"


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
