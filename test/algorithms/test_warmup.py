from __future__ import annotations

import numpy as np

from livereduce import kernels
from livereduce.algorithms.binning import rebin
from livereduce.algorithms.create import create_workspace
from livereduce.algorithms.warmup import warm_up


def test_after_warming_up_nothing_is_left_to_compile() -> None:
    warm_up()
    before = len(kernels.gather_shares.signatures)  # type: ignore[attr-defined]
    rebin(create_workspace(np.arange(5.0), np.ones(8), n_spec=2), (0, 0.3, 4))
    assert len(kernels.gather_shares.signatures) == before  # type: ignore[attr-defined]
