"""Safe readers of other people's file formats: pickles, Torch 7, PyTorch, NumPy, Hub modules."""
