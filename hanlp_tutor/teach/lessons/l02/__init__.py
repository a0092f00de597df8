"""Lesson 02, the loss: what λ does to θ, the loss over a plane of weights, the checks."""
