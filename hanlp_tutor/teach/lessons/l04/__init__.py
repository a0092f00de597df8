"""Lesson 04, a classifier: pictures of scores and of lengths, the checks."""
