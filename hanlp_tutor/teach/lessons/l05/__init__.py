"""Lesson 05, named entities: why a newspaper is split in blocks, the checks."""
