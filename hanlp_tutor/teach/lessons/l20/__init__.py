"""Lesson 20, troubleshooting: runs with a planted fault, what was measured of remedies, the checks."""
