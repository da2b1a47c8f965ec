"""Live data reduction for neutron and X-ray beamlines."""
