"""How often photos from home may be looked at; what they show is `biometrics.face.examine`'s.

It keeps no photo and no address.
"""

from server.cases.throttle import Limit

BY_NETWORK = Limit(name="photo", tries=90, seconds=900)
"""[D] A whole /24: ten people with nine tries each; a photo costs about 0.2 s of a processor."""
LIMITS = (BY_NETWORK,)
