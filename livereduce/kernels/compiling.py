"""How a loop becomes machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return `function` compiled at its first call; typed as itself, since numba's decorator has no types.

    Where no folder for compiled code can be written to (a hardened service without a home), it is compiled anew in each process.
    """
    result: Any
    try:
        result = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        result = numba.njit(nogil=True)(function)
    return cast(Function, result)
