"""The kinds of arrays that this room passes around."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]
Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]
