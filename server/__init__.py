"""The office's side: filing, booking pages, intake of sealed captures, verification.

It drives no device and, but for the unsealing process, opens no capture.
"""
