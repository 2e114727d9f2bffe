"""What happens, as functions of a session and a time; none of them commits."""
