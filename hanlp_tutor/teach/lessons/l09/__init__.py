"""Lesson 09, tuning: the way to a dev score, measured grids and searches and their pictures, the checks."""
