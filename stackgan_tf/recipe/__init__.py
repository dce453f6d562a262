"""Recipes: gin files of models, data and phases, checked before anything is built."""
