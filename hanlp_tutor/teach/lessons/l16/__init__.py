"""Lesson 16, relation extraction: rules over types, pairs from spans to triples, the pictures, the checks."""
