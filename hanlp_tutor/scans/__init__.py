"""Scanned pages: composed and drawn, spoilt as by a scanner, read by OCR, aligned with gold, tagged with their layout.

Everything on the pages is synthetic: the records of :mod:`hanlp_tutor.corpora.clinic` in a form that this kit made up.
"""
