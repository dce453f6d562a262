"""Exports: SavedModels, TF Hub archives, folders for TensorFlow Serving, and their verification."""
