"""Released weights of the paper's authors (PyTorch) and of the text encoder's (Torch): their keys and layouts."""
