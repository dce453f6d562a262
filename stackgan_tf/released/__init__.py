"""Networks that the paper's authors, and those of its text encoder, published as files of PyTorch and Torch."""
