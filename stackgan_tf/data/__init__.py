"""What comes in: data sets, their examples in an order that depends on the seed alone, and the image pyramid."""
