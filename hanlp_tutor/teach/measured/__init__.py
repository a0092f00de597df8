"""The result files of the experiments, as the lessons show them."""
