"""Lesson 07, gradient accumulation: gradients as vectors, memory of a forward pass, the checks."""
