"""Importing this mends HanLP's own ``fit()``; see :mod:`hanlp_tutor.hanlp_bridge.compat`."""

from hanlp_tutor.hanlp_bridge.compat import *  # noqa: F403
