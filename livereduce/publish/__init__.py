"""Results leave here."""
