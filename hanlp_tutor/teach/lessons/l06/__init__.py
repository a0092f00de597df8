"""Lesson 06, two learning rates: how far θ moves, the measured recipes and their pictures, the checks."""
