"""Lesson 17, low resource: a cloze for a classifier, the result file as tables and pictures, the checks."""
