"""Vars on weasel's command line that project.yml does not have.

Weasel takes any `--vars.NAME` and ignores those that it does not know, so that a mistyped
`--vars.datset my.csv` runs with the default data set. It does not pass them on either: the command
line of the weasel process, which started this one, is the only place where they can be seen.
"""

import re
from difflib import get_close_matches
from pathlib import Path

import srsly

from scripts.cli.errors import ProjectError

PROJECT = Path("project.yml")  # weasel runs each command in the project's folder


def check_vars() -> None:
    """RAISES (ProjectError): A var was given to weasel that project.yml does not have."""
    given = re.findall(r"^--vars\.([^=\n]+)", "\n".join(_weasel()), flags=re.MULTILINE)
    if not given or not PROJECT.exists():
        return
    known = list(srsly.read_yaml(PROJECT).get("vars", {}))
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.5)
            raise ProjectError(
                f"There is no var '{name}'; nothing was run."
                + (f" Did you mean --vars.{close[0]}?" if close else ""),
                f"The vars are: {', '.join(known)}",
            )


def _weasel() -> list[str]:
    """The arguments of `weasel run`, if it started this process."""
    try:
        import psutil
    except ImportError:  # in the environment of an exported package
        return []
    try:
        for process in psutil.Process().parents()[:2]:  # some platforms' python starts another
            line = process.cmdline()
            if "run" in line and any(Path(part).stem == "weasel" for part in line):
                return line
    except psutil.Error:  # gone, or of another user
        pass
    return []
