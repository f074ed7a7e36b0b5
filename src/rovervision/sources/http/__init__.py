"""Asking archives on the web: politely, safely, and only for what is whole."""
