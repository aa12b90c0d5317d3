"""What both engines have compiled."""
