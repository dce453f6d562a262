"""Any folder of images as a data set: found, split, decoded once, kept in a cache."""
