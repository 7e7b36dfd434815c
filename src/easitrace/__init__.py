"""easitrace."""
