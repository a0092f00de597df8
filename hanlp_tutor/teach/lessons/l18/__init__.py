"""Lesson 18, from a scan to entities: the arms that are compared, the pictures, the checks."""
