"""Text encoders, from captions to embeddings."""
