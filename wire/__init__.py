"""What gateway and ui share as servers: how fast a request must come and an answer must be taken. Knows no process."""
