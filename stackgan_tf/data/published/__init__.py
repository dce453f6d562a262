"""The paper's seven data sets: archives, released captions, TFDS builders, preparation."""
