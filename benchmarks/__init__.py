"""How good the answers are and how fast they come, each measured by one command."""
