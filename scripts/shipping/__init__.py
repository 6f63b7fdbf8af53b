from typing import Literal

Precision = Literal["fp32", "int8"]  # of an exported encoder's weights
