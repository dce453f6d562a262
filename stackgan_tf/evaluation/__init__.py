"""Evaluation, from images to a report: image sources, feature extractors, the reference cache."""
