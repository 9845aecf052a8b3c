"""How many threads the libraries that compute may start; asked before any of them is imported."""

import os
from typing import Final

_LIBRARIES: Final = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def one_each() -> None:
    """One thread for each library, unless the environment says otherwise.

    A daemon's batches are small: more threads wait for each other and take a quarter of the speed from the rest. The
    grid of a backtest is judged in processes.
    """
    for variable in _LIBRARIES:
        os.environ.setdefault(variable, "1")
