"""What the labs of faces and fingers share: statistics, tables, pages, several processes."""
