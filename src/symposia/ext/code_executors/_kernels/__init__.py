"""What the executors on Jupyter kernels share: the output of a cell, and a list of blocks run in one kernel."""
