"""Published tables: their figures beside those of a cohort, and synthetic cohorts reconstructed from them."""
