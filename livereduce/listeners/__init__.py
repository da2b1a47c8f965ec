"""Sources: open the connection, feed the wire codec, hand over records."""
