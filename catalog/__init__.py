"""What can be sold and for how much: metrics, plans with versions, charges and taxes. Knows no customer."""
