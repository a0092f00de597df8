"""Lesson 21, the ledger of claims: its picture, its checks."""
