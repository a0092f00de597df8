"""Lesson 10, evaluation: the worst sentences, the seed study, pictures of confidence, the checks."""
