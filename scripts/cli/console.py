"""What commands print: wasabi's printer, without folding lines."""

import sys

from wasabi import Printer, printer

# Folded, an address, a path or a command could not be copied; a terminal folds lines by itself.
# wasabi folds at 80 characters always, and makes one paragraph of several lines.
printer.wrap = lambda text, indent=0: str(text)  # type: ignore[assignment, misc]
msg = Printer()
# No colours in a file.
msg.show_color = msg.show_color and sys.stdout.isatty()
