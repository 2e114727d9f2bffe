"""The threshold lab: what the gates catch, miss and refuse wrongly on labelled pictures.

It sets no limit (those stand in `biometrics/face/profiles`) and measures nothing itself.
"""
