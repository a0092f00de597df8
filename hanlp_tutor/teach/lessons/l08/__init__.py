"""Lesson 08, mixed precision: number formats, measured memory and time, the checks."""
