"""The NeXus file: one layout that viewers plot by themselves and that Mantid knows as its processed file.

Each module is one part of an entry and holds both directions, writing and reading. They work on an open HDF5 group; opening files is the business of
`livereduce.algorithms.files` alone. The layout is told in ``docs/reference/files.md``.
"""
