"""Lesson 11, several tasks: what was measured of them, the checks."""
