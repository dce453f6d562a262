"""`flowers_captions`: flowers of Oxford-102 with the captions and the class-disjoint splits of Reed et al."""
