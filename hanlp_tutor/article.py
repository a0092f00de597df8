"""The names of the article's listings, kept where its readers look for them."""

from hanlp_tutor.hanlp_bridge.article import *  # noqa: F403
