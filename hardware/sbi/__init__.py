"""SBI, the interface of certified capture devices: the client, our own service, and a simulator."""
