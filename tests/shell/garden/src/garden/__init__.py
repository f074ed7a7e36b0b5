"""A small Kedro project that wears the shell of rovervision."""
