"""Any folder of pictures as a data set: found, split, decoded once, kept in a cache."""
