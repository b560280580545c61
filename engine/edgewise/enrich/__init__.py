"""What can be found out about a visitor beyond what was sent: where their address is."""
