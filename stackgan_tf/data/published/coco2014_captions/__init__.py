"""`coco2014_captions`: MS COCO of 2014 with its captions, all of it, as in the paper."""
