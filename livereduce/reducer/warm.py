"""Imported by the server that reducers are forked from: compiles or loads the kernels once, so that no reducer's first chunk waits for it."""

from livereduce.algorithms.warmup import warm_up

warm_up()
