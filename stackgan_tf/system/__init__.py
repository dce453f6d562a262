"""What every package uses: atomic files, the cache, the console, the command line, errors, interruption."""
