"""Several tasks on one encoder: the model, the order of its batches, its scores."""
