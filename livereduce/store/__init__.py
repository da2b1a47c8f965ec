"""The two stores, journal and board; the only code that knows LMDB."""
