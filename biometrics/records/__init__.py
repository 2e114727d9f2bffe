"""Records that others read: ISO/IEC 19794, ANSI/NIST-ITL and CBEFF; nothing is judged here."""
