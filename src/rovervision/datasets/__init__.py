"""Things at rest that Kedro has no dataset for."""
