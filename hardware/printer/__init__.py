"""Receipt printers that speak ESC/POS, and a roll of paper that stands in for one."""
