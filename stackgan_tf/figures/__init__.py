"""The paper's kinds of figures: grids of generated images."""
