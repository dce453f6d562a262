"""The human study of the paper's Tables 2 and 3: people rank the images of models for the same captions."""
