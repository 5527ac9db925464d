"""What the exports of Skype and of Teams have in common."""
