"""One file for `--code` of `spacy train`, `evaluate` and `debug`, run from the repo root: importing
it registers everything in this folder. Which files ship in a package says `shipped` in project.yml.
"""

from importlib import import_module
from pkgutil import iter_modules

import components

for module in iter_modules(components.__path__):
    if module.name != "code":
        import_module(f"components.{module.name}")
