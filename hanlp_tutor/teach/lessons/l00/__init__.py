"""Lesson 00, start here: the article's listing, tried line by line, and the checks."""
