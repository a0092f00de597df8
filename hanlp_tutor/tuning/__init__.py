"""Automated search of options, over Optuna."""
