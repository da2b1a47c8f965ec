"""The Mantid face: what a script finds under `import mantid`."""
