"""What may be passed on: the gate that every shared number goes through, the page made from it, and the scanner."""
