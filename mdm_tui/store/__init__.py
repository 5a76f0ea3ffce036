"""What is kept on this machine: the mirror (disposable), the history and the journal. All SQL lives here."""
