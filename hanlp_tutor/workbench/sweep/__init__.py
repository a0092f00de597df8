"""Many runs of one notebook over a grid of parameters, on this machine or on a cluster, by Dask distributed."""
