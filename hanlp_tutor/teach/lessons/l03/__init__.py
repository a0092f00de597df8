"""Lesson 03, encoders: masks of the recipes, where the parameters are, names seen and new, the checks."""
