"""Lesson 01b, inside an encoder: a picture of attention, where heads look, guesses of hidden characters, the checks."""
