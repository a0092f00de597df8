"""Lesson 06, two learning rates: how far θ walks, the measured recipes and their pictures, the checks."""
