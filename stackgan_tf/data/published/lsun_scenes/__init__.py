"""`lsun_scenes`: the bedrooms and churches of LSUN, prepared from its published databases."""
