"""Recipes: what to train, on what, how long, as gin files whose mistakes are found before anything is made."""
