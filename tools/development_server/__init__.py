"""A server for development and tests; not TensorFlow Serving."""
