"""The command line: the same services as the console, no screen. Data to stdout, words to stderr."""
