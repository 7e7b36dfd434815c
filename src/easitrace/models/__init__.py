"""Models: numbers only, plain data frames and arrays in, no cohort, no plots."""
