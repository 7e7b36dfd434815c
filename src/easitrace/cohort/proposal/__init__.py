"""What can be told of a file by looking at it: which column is what, the visits, how numbers and dates are written."""
