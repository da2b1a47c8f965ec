"""Live data reduction for neutron and X-ray beamlines."""

__version__ = "0.1.0"
