"""What one lesson alone uses, a room a lesson; its notebook and its experiment import from there, nobody else."""
