"""The product as its people use it: a whole installation runs, and a browser walks through it."""
