"""A fleet of electric cars, simulated from archetypes to telemetry."""
