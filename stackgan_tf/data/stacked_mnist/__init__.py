"""`stacked_mnist`: three digits as the color channels of an image, the standard test of mode collapse."""
