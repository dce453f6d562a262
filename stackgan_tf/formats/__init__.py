"""Other people's files, read safely: pickles of Python 2, Torch's serialisation."""
