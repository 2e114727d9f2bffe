"""The lab of fingers: how often mates are missed and strangers taken, on a folder of prints."""
