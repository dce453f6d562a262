"""`imagenet_subset`: the dogs and the cats of ImageNet, prepared from the training images of ILSVRC 2012."""
