"""Lesson 12, medical records: rules as a hospital keeps them, who has the finding, results, pictures, the checks."""
