"""What the instrument scientist writes and sees."""
