"""Data sets for training: images, captions, their order by seed, crops and the image pyramid."""
