//! Airports and metropolitan areas.
