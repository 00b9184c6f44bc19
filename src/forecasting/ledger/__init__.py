"""What is published and read: the only room that opens a database."""
