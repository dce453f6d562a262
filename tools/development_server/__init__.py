"""A server for development and tests, which replaces TensorFlow Serving there."""
