"""Teach a trained model more: new types, new tasks, new labels, without its forgetting the old."""
