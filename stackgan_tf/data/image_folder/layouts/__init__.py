"""Readers of the layouts in which captions, classes and boxes come with images: one module for each family."""
