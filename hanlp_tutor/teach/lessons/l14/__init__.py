"""Lesson 14, faults: the long tail, component by mode, unknown types, latency, the result file, the checks."""
