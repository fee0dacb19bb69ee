"""The doctor: looks at every part of a tower and says what is wrong and the one thing to do next."""
