"""Lesson 13, anti-money-laundering: what a threshold costs, the queue of an analyst, the result file, the checks."""
