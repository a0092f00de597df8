"""Lesson 01, data: an audit at a glance, a file with three faults, the checks."""
