"""Whether a device's certificate leads to somebody the station believes.

It looks at no token and at no picture.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification

from hardware.sbi.distrust import CertificateRevoked, ChainUntrusted
from hardware.sbi.trust import Trust

LEAST_KEY: Final = 2048
"""Bits of an RSA key, at least (NIST SP 800-131A rev. 2)."""
MOST_DEPTH: Final = 4
"""Authorities between a device and an anchor, at most: provider, its own, and two to spare."""


def check_chain(
    chain: Sequence[x509.Certificate], trust: Trust, at: dt.datetime
) -> tuple[x509.Certificate, ...]:
    """Return the certificates from the device's up to the anchor.

    Args:
        chain: as the token carries it, the device's own first.
        trust: whom the station believes.
        at: now, aware.

    Raises:
        ChainUntrusted, CertificateRevoked: see there.
    """
    if not trust.anchors:
        raise ChainUntrusted("no trust anchor is enrolled")
    leaf, *between = chain
    authorities = verification.ExtensionPolicy.permit_all()
    authorities = authorities.require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, None
    ).may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign_certificates)
    devices = verification.ExtensionPolicy.permit_all()
    devices = devices.may_be_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_no_authority
    ).may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign)
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(trust.anchors)))
        .time(at)
        .max_chain_depth(MOST_DEPTH)
        .extension_policies(ca_policy=authorities, ee_policy=devices)
        .build_client_verifier()
    )
    try:
        way = tuple(verifier.verify(leaf, list(between)).chain)
        weak = [one for one in way if not _is_strong(one)]
    except (verification.VerificationError, UnsupportedAlgorithm, ValueError) as error:
        # A certificate is parsed piece by piece, as it is looked at.
        raise ChainUntrusted(f"the device's certificate is not trusted: {error}") from error
    if weak:
        raise ChainUntrusted(f"{_name(weak[0])}: not an RSA key of {LEAST_KEY} bits")
    _check_revoked(way, trust)
    return way


def _may_sign_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority's key may not sign certificates")


def _may_sign(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("the device's key may not sign")


def _is_no_authority(
    _policy: verification.Policy,
    _certificate: x509.Certificate,
    constraints: x509.BasicConstraints | None,
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("an authority's key is no device's")


def _check_revoked(way: Sequence[x509.Certificate], trust: Trust) -> None:
    for certificate, issuer in pairwise(way):
        for listed in trust.revoked:
            if listed.issuer != issuer.subject:
                continue
            key = issuer.public_key()
            # A list that its issuer did not sign says nothing.
            if not isinstance(key, rsa.RSAPublicKey) or not listed.is_signature_valid(key):
                continue
            found = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if found is not None:
                raise CertificateRevoked(f"{_name(certificate)} was taken back by its issuer")


def _is_strong(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_KEY


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:120]
