"""Masked-language pre-training of small encoders."""
