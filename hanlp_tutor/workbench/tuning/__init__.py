"""Automated search of options: :func:`hanlp_tutor.tune`."""
