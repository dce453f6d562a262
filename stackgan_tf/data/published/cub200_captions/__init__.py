"""`cub200_captions`: birds of CUB-200-2011 with the captions and the class-disjoint splits of Reed et al."""
