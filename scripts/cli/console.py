"""What commands print: wasabi's printer, without folding lines."""

from wasabi import Printer

# Folded, an address, a path or a command could not be copied; a terminal folds lines by itself.
msg = Printer(line_max=1_000_000)
