"""System services of all packages: atomic files, cache, console, command line, errors, interruption."""
