"""Lesson 15, how much data: fitted learning curves, active selection, the pictures, the checks."""
